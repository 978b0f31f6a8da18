// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a session tracks: changes and queries. */
#include <errno.h>

#include "change.h"
#include "internal.h"

SAME(WTRACK_GFN_TRACKED, KVM_WTRACK_GFN_TRACKED);
SAME(WTRACK_GFN_RESYNC, KVM_WTRACK_GFN_RESYNC);
SAME(WTRACK_GFN_DISARMED, KVM_WTRACK_GFN_DISARMED);
SAME(WTRACK_GFN_ABSENT, KVM_WTRACK_GFN_ABSENT);
SAME(sizeof(struct wtrack_range), sizeof(struct kvm_wtrack_range));
SAME_FIELD(struct wtrack_range, gfn, struct kvm_wtrack_range, gfn);
SAME_FIELD(struct wtrack_range, nr_pages, struct kvm_wtrack_range, nr_pages);

WTRACK_API int wtrack_session_add(struct wtrack_session *session,
				  const struct wtrack_range *ranges,
				  size_t nr_ranges,
				  struct wtrack_result *results,
				  unsigned int flags)
{
	struct work work = {
		.session = session,
		.kind = CHANGE_ADD,
		.ranges = ranges,
		.results = results,
		.nr = nr_ranges,
		.flags = flags,
	};

	return wtrack__change_run(&work);
}

WTRACK_API int wtrack_session_rearm(struct wtrack_session *session,
				    const struct wtrack_range *ranges,
				    size_t nr_ranges,
				    struct wtrack_result *results,
				    unsigned int flags)
{
	struct work work = {
		.session = session,
		.kind = CHANGE_REARM,
		.ranges = ranges,
		.results = results,
		.nr = nr_ranges,
		.flags = flags,
	};

	return wtrack__change_run(&work);
}

WTRACK_API int wtrack_session_remove(struct wtrack_session *session,
				     const struct wtrack_range *ranges,
				     size_t nr_ranges,
				     struct wtrack_result *results,
				     unsigned int flags)
{
	struct work work = {
		.session = session,
		.kind = CHANGE_REMOVE,
		.ranges = ranges,
		.results = results,
		.nr = nr_ranges,
		.flags = flags,
	};

	return wtrack__change_run(&work);
}

/*
 * Refused pages make the call fail, but it was complete. A signal may come
 * after the last page and before the fence: then the fence is left to do.
 */
WTRACK_API int wtrack_session_remove_fenced(struct wtrack_session *session,
					    const struct wtrack_range *ranges,
					    size_t nr_ranges,
					    struct wtrack_result *results,
					    unsigned int flags,
					    uint64_t *ret_seq)
{
	struct work work = {
		.session = session,
		.kind = CHANGE_REMOVE,
		.fence = true,
		.ranges = ranges,
		.results = results,
		.nr = nr_ranges,
		.flags = flags,
	};
	int r, fence;

	r = wtrack__change_run(&work);
	if (r != work.refused)
		return r;
	if (!work.fenced) {
		fence = wtrack_session_fence(session, &work.seq);
		if (fence < 0)
			return fence;
	}
	*ret_seq = work.seq;
	return r;
}

/*
 * Otherwise a module that does not advance would have the caller loop for ever.
 */
static bool answer_is_sane(const struct kvm_wtrack_query *args)
{
	return args->out_nr_ranges <= args->nr_ranges &&
	       args->out_next_gfn > args->gfn;
}

WTRACK_API int wtrack_session_query(struct wtrack_session *session,
				    uint64_t *gfn, struct wtrack_range *ranges,
				    size_t nr_ranges)
{
	struct kvm_wtrack_query args = {
		.size = sizeof(args),
		.ranges = (uintptr_t)ranges,
		.gfn = *gfn,
	};
	int r;

	if (!nr_ranges)
		return -EINVAL;
	args.nr_ranges = nr_ranges < session->max_ranges ?
			 (uint32_t)nr_ranges : session->max_ranges;
	while (!args.out_nr_ranges && args.gfn != WTRACK_GFN_END) {
		r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_QUERY, &args);
		if (r < 0)
			return r;
		if (!answer_is_sane(&args))
			return -EPROTO;
		args.gfn = args.out_next_gfn;
	}
	*gfn = args.gfn;
	return (int)args.out_nr_ranges;
}

WTRACK_API int wtrack_session_query_gfn(struct wtrack_session *session,
					uint64_t gfn, uint32_t *ret_users,
					uint32_t *ret_state)
{
	struct kvm_wtrack_query_gfn args = {
		.size = sizeof(args),
		.gfn = gfn,
	};
	int r;

	r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_QUERY_GFN, &args);
	if (r < 0)
		return r;
	if (ret_users)
		*ret_users = args.out_users;
	if (ret_state)
		*ret_state = args.out_state;
	return 0;
}
