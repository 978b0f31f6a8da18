/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All calls in a table, so that what holds for each argument struct is tested
 * for each of them: one field is wrong, the others are valid.
 */
#ifndef GUEST_ABI_H
#define GUEST_ABI_H

#include "wt.h"

enum abi_state { ABI_FRESH, ABI_ATTACHED, ABI_READY };

/* Room for the largest argument struct and a tail. */
enum { ABI_ARG_BYTES = 512, ABI_RANGES = 4, ABI_OUT = 40 };

struct abi_field {
	unsigned int offset;
	unsigned int bytes;
};

struct abi_call {
	const char *name;
	unsigned long cmd;
	unsigned int bytes;
	enum abi_state state;	/* in which the call succeeds */
	uint32_t known_flags;
	bool has_out;
	/* Of the pointer to an array and its length, 0 without one. */
	unsigned int array, array_nr;
	struct abi_field reserved[3];
	struct abi_field out[ABI_OUT];	/* up to one of no bytes */
};

extern const struct abi_call abi_calls[];
extern const unsigned int abi_nr_calls;

#define for_each_abi_call(c) \
	for ((c) = abi_calls; (c) < abi_calls + abi_nr_calls; (c)++)

/* A session in some state, and valid arguments for one call. */
struct abi {
	const struct abi_call *call;
	struct vm *vm;
	int fd;
	struct kvm_wtrack_status before;
	union {
		struct kvm_wtrack_change changes[ABI_RANGES];
		struct kvm_wtrack_range ranges[ABI_RANGES];
		struct kvm_wtrack_resync_range resync[ABI_RANGES];
		struct kvm_wtrack_region regions[ABI_RANGES];
	} array;
	_Alignas(8) unsigned char arg[ABI_ARG_BYTES];
};

void abi_init(struct abi *a, const struct abi_call *call);
void abi_exit(struct abi *a);
/* Writes valid arguments to a->arg, zeroes behind them. */
void abi_fill(struct abi *a);
uint32_t *abi_u32(struct abi *a, unsigned int offset);
uint64_t *abi_u64(struct abi *a, unsigned int offset);

/* The errno of the call with the argument at arg. */
int abi_make(struct abi *a, void *arg);
/* The call is refused with this errno and the session stays as it was. */
void abi_refused(struct abi *a, void *arg, int err);
/* The same, with the valid arguments, is taken: nothing else was wrong. */
void abi_taken(struct abi *a);

#endif /* GUEST_ABI_H */
