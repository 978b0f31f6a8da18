/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest's programs say on its console. */
#ifndef BOOT_GUEST_H
#define BOOT_GUEST_H

#define GUEST_SAYS	"boot: "
#define GUEST_UP	"user space"
/* Each of them begins with it when its results were right. */
#define GUEST_GOOD	"good "

enum { GUEST_RESULTS = 5 };

#endif /* BOOT_GUEST_H */
