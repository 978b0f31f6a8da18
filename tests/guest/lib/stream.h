/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exact event stream: run guest code, then say which records must have
 * come of it, in order. Everything in a record is checked.
 */
#ifndef GUEST_STREAM_H
#define GUEST_STREAM_H

#include "vm.h"
#include "wt.h"

struct stream {
	struct vm *vm;
	struct vcpu *vcpu;
	struct wt *wt;
	uint64_t began_ns, ended_ns;
	uint64_t last_ns;
};

/* A VM of that many pages at VM_DATA; the first of them are tracked. */
void stream_init(struct stream *s, uint64_t pages, uint64_t tracked);
void __stream_run(struct stream *s, struct guest_code code,
		  const uint64_t args[6]);
#define stream_run(s, code, ...) \
	__stream_run(s, code, (const uint64_t[6]){ __VA_ARGS__ })

/* The next record is a whole store of these bytes. */
void stream_expect(struct stream *s, uint64_t gpa, const void *data,
		   unsigned int len);
/* The same for an integer, little end first. */
void stream_expect_value(struct stream *s, uint64_t gpa, uint64_t value,
			 unsigned int len);
/* The next records are the parts of a store of these bytes. */
void stream_expect_parts(struct stream *s, uint64_t gpa, const void *data,
			 unsigned int total);
/* There is no further record. */
void stream_expect_end(struct stream *s);

#endif /* GUEST_STREAM_H */
