// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's memory. */
#include <errno.h>

#include "internal.h"
#include "sys.h"

SAME(WTRACK_REGION_READONLY, KVM_WTRACK_REGION_F_READONLY);
SAME(WTRACK_REGION_DIRTY_LOG, KVM_WTRACK_REGION_F_DIRTY_LOG);
SAME(WTRACK_REGION_PRIVATE, KVM_WTRACK_REGION_F_PRIVATE);
SAME(WTRACK_REGION_KVM, KVM_WTRACK_REGION_F_KVM);
SAME(sizeof(struct wtrack_region), sizeof(struct kvm_wtrack_region));
SAME_FIELD(struct wtrack_region, gfn, struct kvm_wtrack_region, gfn);
SAME_FIELD(struct wtrack_region, nr_pages, struct kvm_wtrack_region, nr_pages);
SAME_FIELD(struct wtrack_region, flags, struct kvm_wtrack_region, flags);

/* One call of the module, which may read less than was asked for. */
static int read_some(struct wtrack_session *session,
		     struct kvm_wtrack_read *args, unsigned int flags)
{
	int r;

	r = wtrack__sys_ioctl(session->fd, KVM_WTRACK_READ, args);
	if (args->out_done > args->len)
		return -EPROTO;
	if (r == -EINTR && !(flags & WTRACK_READ_INTR))
		return 0;
	if (r < 0)
		return r;
	if (args->out_error)
		return args->out_error < 4096 ? -(int)args->out_error : -EPROTO;
	/* Otherwise the caller would loop for ever. */
	return args->out_done ? 0 : -EPROTO;
}

/* The result of the first call holds for all later reads as well. */
static int read_all(struct wtrack_session *session, uint64_t gpa,
		    unsigned char *buffer, size_t len, struct wtrack_read *ret,
		    unsigned int flags)
{
	bool first = true;
	int r = 0;

	while (!r && ret->done < len) {
		struct kvm_wtrack_read args = {
			.size = sizeof(args),
			.flags = flags & WTRACK_READ_NOFAULT ?
				 KVM_WTRACK_READ_F_NOFAULT : 0,
			.gpa = gpa + ret->done,
			.len = len - ret->done,
			.buffer = (uintptr_t)(buffer + ret->done),
		};

		r = read_some(session, &args, flags);
		if (r == -EPROTO)
			break;
		ret->done += args.out_done;
		if (first)
			ret->seq = args.out_seq;
		/* A signal may have come before the result was known. */
		if (!ret->generation)
			ret->generation = args.out_generation;
		first = false;
	}
	return r;
}

WTRACK_API int wtrack_session_read(struct wtrack_session *session, uint64_t gpa,
				   void *buffer, size_t len,
				   struct wtrack_read *ret, unsigned int flags)
{
	struct wtrack_read result = { 0 };
	int r = -EINVAL;

	if (!(flags & ~(WTRACK_READ_INTR | WTRACK_READ_NOFAULT)))
		r = read_all(session, gpa, buffer, len, &result, flags);
	if (ret)
		*ret = result;
	return r;
}

/*
 * The module returns one region and the gfn to continue at, which follows it.
 */
static bool answer_is_sane(const struct kvm_wtrack_regions *args,
			   const struct wtrack_region *region)
{
	if (args->out_next_gfn <= args->gfn || args->out_nr_regions > 1)
		return false;
	return !args->out_nr_regions ||
	       (region->nr_pages && region->gfn >= args->gfn &&
		region->nr_pages <= args->out_next_gfn - region->gfn &&
		region->gfn < args->out_next_gfn);
}

WTRACK_API int wtrack_session_regions_next(struct wtrack_session *session,
					   uint64_t *gfn,
					   struct wtrack_region *ret,
					   uint64_t *ret_generation)
{
	struct wtrack_region region = { 0 };
	struct kvm_wtrack_regions args = {
		.size = sizeof(args),
		.regions = (uintptr_t)&region,
		.nr_regions = 1,
		.gfn = *gfn,
	};
	bool asked = false;
	int r;

	while (!args.out_nr_regions && args.gfn != WTRACK_GFN_END) {
		r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_REGIONS, &args);
		if (r < 0)
			return r;
		if (!answer_is_sane(&args, &region))
			return -EPROTO;
		args.gfn = args.out_next_gfn;
		asked = true;
	}
	*gfn = args.gfn;
	if (asked && ret_generation)
		*ret_generation = args.out_generation;
	if (!args.out_nr_regions)
		return 0;
	*ret = region;
	return 1;
}
