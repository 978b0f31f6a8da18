// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulated kernel of tests/unit/lib as part of a libwtrack.so, for
 * programs in other languages. Its descriptors are real ones that can be
 * polled, and memory that was unmapped is poison to AddressSanitizer.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(mem, size)	((void)(mem), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(mem, size)	((void)(mem), (void)(size))
#endif

#include "fake.h"
#include "machine.h"
#include "sys.h"

#define FIRST_FD	100
#define NR_FDS		64

static int event_fd = -1;

/* Is there something to report? As a poll of the module's descriptor. */
static void update(void)
{
	eventfd_t old;

	pthread_mutex_lock(&fake.lock);
	eventfd_read(event_fd, &old);
	if (fake.records && fake_revents())
		eventfd_write(event_fd, 1);
	pthread_mutex_unlock(&fake.lock);
}

int wtrack__sys_poll(int fd, short events, int timeout_ms, short *ret_revents)
{
	update();
	return fake_sys_poll(fd, events, timeout_ms, ret_revents);
}

void wtrack__sys_munmap(void *mem, size_t length)
{
	fake_sys_munmap(mem, length);
	if (mem == fake.records)
		ASAN_POISON_MEMORY_REGION(mem, length);
}

void machine_setup(void)
{
	int fd;

	fake_setup(NULL);
	fake.info.out_features |= KVM_WTRACK_FEAT_VCPU | KVM_WTRACK_FEAT_RIP;
	if (event_fd < 0) {
		event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		for (fd = FIRST_FD; fd < FIRST_FD + NR_FDS; fd++)
			dup3(event_fd, fd, O_CLOEXEC);
	}
	update();
}

/* How much the library has not given back. */
int machine_teardown(void)
{
	size_t length = fake.ring.records * sizeof(*fake.records);
	int left = fake.nr_open + fake.nr_mapped + fake.nr_allocated;

	if (fake.records)
		ASAN_UNPOISON_MEMORY_REGION(fake.records, length);
	free(fake.records);
	free(fake.consumer);
	fake.records = NULL;
	fake.consumer = NULL;
	free((char *)fake.daemon.error);
	free((char *)fake.daemon.message);
	return left;
}

void machine_write(uint64_t gpa, const void *data, uint16_t len)
{
	fake_write(gpa, data, len);
	update();
}

void machine_publish(const struct kvm_wtrack_record *record)
{
	fake_publish(record);
	update();
}

void machine_region_removed(uint64_t gfn, uint64_t nr_pages)
{
	fake_region_removed(gfn, nr_pages);
	update();
}

void machine_region_added(uint64_t gfn, uint64_t nr_pages, uint32_t flags)
{
	fake_region_added(gfn, nr_pages, flags);
	update();
}

void machine_add_features(uint64_t features)
{
	fake.info.out_features |= features;
}

void machine_memory_write(uint64_t gpa, const void *data, size_t len)
{
	fake_memory_write(gpa, data, len);
}

void machine_store(uint64_t gpa, const void *data, uint16_t len)
{
	fake_store_bytes(gpa, data, len);
	update();
}

void machine_unreadable(uint64_t gfn, int err)
{
	fake.unreadable[gfn] = err;
}

static int changes;

static void change_regions(unsigned long request, void *args)
{
	(void)args;
	if (request == KVM_WTRACK_REGIONS && changes-- > 0)
		fake.generation += 2;
}

/* The VMM does so after each of the next calls. */
void machine_change_regions(int times)
{
	changes = times;
	fake.distort = change_regions;
}

void machine_vm_gone(void)
{
	fake_vm_gone();
	update();
}

void machine_refuse(uint64_t gfn, int err)
{
	fake.refuse[gfn] = err;
}

void machine_fail(int call, int err)
{
	fake_fail(call, 1, err);
}

void machine_daemon_says(const char *error, const char *message)
{
	fake.daemon.error = strdup(error);
	fake.daemon.message = strdup(message);
}

/* So often the daemon has not answered yet. */
void machine_daemon_delays(int times)
{
	fake.daemon.delay = times;
}

/* VMs as descriptors of the VMM. */
void machine_vmm(const int *fds, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		fake.vmm.fds[i] = fds[i];
		fake.vmm.vms[i] = i;
	}
	fake.vmm.nr_fds = nr;
}

int machine_session_fd(uint32_t records)
{
	return fake_session_fd(records);
}

const struct kvm_wtrack_restrict *machine_restriction(void)
{
	return &fake.restriction;
}

const struct kvm_wtrack_tune *machine_tune(void)
{
	return &fake.tune;
}

void machine_end(void)
{
	fake_end();
	update();
}

const struct kvm_wtrack_ring *machine_ring(void)
{
	return &fake.ring;
}

const struct fake_daemon *machine_daemon(void)
{
	return &fake.daemon;
}
