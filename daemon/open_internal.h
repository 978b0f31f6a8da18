/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of Manager.OpenSession() call each other. */
#ifndef WTRACKD_OPEN_INTERNAL_H
#define WTRACKD_OPEN_INTERNAL_H

struct request;

/* open_grant.c: the caller may have it. Replies. */
void open_permitted(struct request *request);

/* open_fail.c: refuses the request for a negative errno of the library's. */
void open_fail_errno(struct request *request, int r);
/* The same; -EACCES is ours, not the caller's. */
void open_fail(struct request *request, int r);
/* For an error of attach_start(), and for what attach_fn was called with. */
void open_fail_start(struct request *request, int r);
void open_fail_attach(struct request *request, int r);

#endif
