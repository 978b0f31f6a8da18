/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The library's sys.h on a simulated kernel, in this process.
 *
 * It keeps the contract of include/uapi/linux/kvm_wtrack.h for one session at a time
 * on one VM: the ring with its lock-free protocol, the resync set, the ioctls.
 * It checks every argument that the library brings (sizes, reserved fields,
 * descriptors, what is mapped), and can be told to fail anything.
 *
 *	fake.c		descriptors, memory, mappings; failing on demand
 *	fake_process.c	the VMM as another process
 *	fake_bus.c	the system bus, and the daemon on it
 *	fake_ioctl.c	the ioctls
 *	fake_range.c	... that add and remove pages
 *	fake_ring.c	the ring and its producers
 *	fake_memory.c	guest memory and its regions
 */
#ifndef FAKE_H
#define FAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm_wtrack.h>

#include <wtrack/range.h>

#define FAKE_PAGES	4096	/* the guest's memory */
#define FAKE_RECORDS	1024	/* largest ring */
#define FAKE_READ_BYTES	10000	/* of one READ */
#define FAKE_VM_FD	77	/* of this process; not a VM: any other */
/* Of the ring, as it is to be mapped. */
#define FAKE_CONSUMER_OFFSET	(UINT64_C(3) << 32)
#define FAKE_CONSUMER_BYTES	4096
#define FAKE_RECORDS_OFFSET	(UINT64_C(5) << 32)
#define FAKE_PID	4242	/* the VMM */
/* All that the first release has. */
#define FAKE_FEATURES	(0x7ffULL | KVM_WTRACK_FEAT_TUNE)

/* What can fail, in the order of sys.h. */
enum fake_call {
	FAKE_ALLOC,
	FAKE_OPEN,
	FAKE_INFO,
	FAKE_ATTACH,
	FAKE_STATUS,
	FAKE_RESTRICT,
	FAKE_RING,
	FAKE_TUNE,
	FAKE_ADD,
	FAKE_REMOVE,
	FAKE_QUERY,
	FAKE_QUERY_GFN,
	FAKE_RESYNC,
	FAKE_FENCE,
	FAKE_REGIONS,
	FAKE_READ,
	FAKE_REARM,
	FAKE_RELEASE,
	FAKE_MMAP,
	FAKE_POLL,
	FAKE_PIDFD_OPEN,
	FAKE_PIDFD_GETFD,
	FAKE_EACH_FD,
	FAKE_BUS_NEW,
	FAKE_BUS_FINISH,
	FAKE_NR_CALLS
};

/* What a descriptor is. That of a VM is of kind FAKE_VM + the VM's number. */
enum fake_kind { FAKE_CLOSED, FAKE_SESSION, FAKE_PIDFD, FAKE_REQUEST, FAKE_VM };

#define FAKE_NO_VM	(-1)

struct fake_process {
	bool alive;
	int fds[8];		/* those that are no files */
	int vms[8];		/* which VM each of them is, or FAKE_NO_VM */
	int nr_fds;
};

/* What the daemon answers, and what it was asked for. */
struct fake_daemon {
	const char *error, *message;	/* NULL: it gives a session */
	int fd_kind;			/* another one: not a session */
	char vm[64];
	uint64_t max_pages;
	uint32_t max_records;
	bool interactive;
	bool attach;
	int delay;		/* times that there is no answer yet */
	/* Unless it was asked to attach it, it leaves that to the caller... */
	bool unattached;
	int vm_fd;		/* ... who finds the VM there */
	/* What it answers then, instead of error and message. */
	const char *attach_error;
};

struct fake {
	pthread_mutex_t lock;	/* everything below, but for the ring's words */
	pthread_cond_t wake;

	struct kvm_wtrack_info info;
	struct fake_process vmm;
	struct fake_daemon daemon;
	/* What a caller of the device changed. */
	struct kvm_wtrack_status status;
	struct kvm_wtrack_restrict restriction;
	struct kvm_wtrack_ring ring;
	struct kvm_wtrack_tune tune;
	bool tracked[FAKE_PAGES];
	bool disarmed[FAKE_PAGES];	/* by the guard */
	bool away[FAKE_PAGES];		/* tracked without memory */
	bool resync[FAKE_PAGES];
	int refuse[FAKE_PAGES];	/* errno for ADD, REARM and REMOVE */
	int unreadable[FAKE_PAGES];	/* errno for READ */
	_Atomic bool absent[FAKE_PAGES];	/* of no memory region */
	_Atomic uint32_t region_flags[FAKE_PAGES];
	_Atomic uint64_t generation;	/* of the regions */
	bool slow_worker;	/* does not find memory that comes */
	uint64_t last[FAKE_PAGES];	/* newest record, when coalescing */
	/* Of a synchronous session: how many vCPUs wait, and are signalled. */
	_Atomic uint32_t waiters, signalled;
	/* A signal comes after that many pages of each ADD, REARM or REMOVE. */
	uint64_t pages_to_signal;
	/* The same for bytes of each READ. */
	uint64_t bytes_to_signal;
	/* Wrong answers. */
	void (*distort)(unsigned long request, void *args);
	/* Called before RESYNC fetches a page of the set. */
	void (*in_resync)(void);
	short extra_revents;
	/* Called when a reader is about to sleep. */
	void (*before_poll)(void);

	bool over;		/* the session is closed: there may be another */
	uint64_t head;
	struct kvm_wtrack_consumer *consumer;	/* of the mapping */
	struct kvm_wtrack_record *records;

	/* Accounts. */
	uint64_t overflows, merged;
	int nr_calls[FAKE_NR_CALLS];
	int nr_open, nr_mapped, nr_allocated;
	uint64_t biggest_call;			/* most ranges in one */
};

extern struct fake fake;

/* A new machine; and the end of it: nothing may be left open. */
int fake_setup(void **state);
int fake_teardown(void **state);

/* Let the nth call from now (the next is 1), and times - 1 more, fail. */
void fake_fail(enum fake_call call, int nth, int err);
void fake_fail_times(enum fake_call call, int nth, int times, int err);
/* For the seam: counts the call; its injected failure, or 0. */
int fake_called(enum fake_call call);

/* A session on the fake VM, with a ring unless records is 0. */
struct wtrack_session *fake_session(uint32_t records, unsigned int flags);
/* A descriptor of a session as another process would pass it on. */
int fake_session_fd(uint32_t records);

int fake_new_fd(int kind);
int fake_kind(int fd);
long fake_ioctl(unsigned long request, void *arg);
bool fake_is_vm(int fd);
/* ADD and REMOVE. */
long fake_change(uint64_t address, uint32_t nr, enum fake_call call, uint32_t flags,
		 uint32_t *out_nr, __u64 *failed);

/* READ and REGIONS. */
long fake_read(struct kvm_wtrack_read *read);
long fake_regions(struct kvm_wtrack_regions *regions);

/* Guest memory; a word is the first one of its page. */
void fake_memory_init(void);
uint64_t fake_page_read(uint64_t gfn);
void fake_page_write(uint64_t gfn, uint64_t value);
/* Bytes, which nobody is notified of: of the VMM, or of a device. */
void fake_memory_read(uint64_t gpa, void *data, size_t len);
void fake_memory_write(uint64_t gpa, const void *data, size_t len);
/* A vCPU stores bytes, within a page, and is notified. Any thread. */
void fake_store_bytes(uint64_t gpa, const void *data, uint16_t len);
/* A vCPU stores a word to a page, and is notified. Any thread. */
void fake_store(uint64_t gfn, uint64_t value);
/* The notification alone, of any length. Any thread. */
void fake_write(uint64_t gpa, const void *data, uint16_t len);
/* So many vCPUs wait for the reader. */
void fake_wait(uint32_t waiters, uint32_t signalled);
/*
 * Memory is removed from the guest, and comes back: with RING_F_STICKY the worker
 * finds it, at once unless it is slow, and arms the pages.
 */
void fake_region_removed(uint64_t gfn, uint64_t nr_pages);
void fake_region_added(uint64_t gfn, uint64_t nr_pages, uint32_t flags);
void fake_worker(void);
/* Is there none that could be tracked? */
bool fake_no_memory(uint64_t gfn);
/* A page that was away is armed, which is told. */
void fake_returned(uint64_t gfn);
void fake_vm_gone(void);
/* An administrator ends the session. */
void fake_end(void);
/* Publishes a record as it stands, whatever stands in it. */
void fake_publish(const struct kvm_wtrack_record *record);
/* Reserves a place now; the record is published by the second call. */
uint64_t fake_reserve(void);
void fake_publish_at(uint64_t pos, const struct kvm_wtrack_record *record);
bool fake_ring_closed(void);
void fake_close_ring(void);
bool fake_ring_reopen(void);
uint64_t fake_head(void);
uint64_t fake_unread(void);
short fake_revents(void);

#endif
