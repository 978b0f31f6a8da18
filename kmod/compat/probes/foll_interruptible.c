// SPDX-License-Identifier: GPL-2.0-only
/* Before 6.3 only a signal that kills ends the wait for a page. */
#include <linux/mm.h>

unsigned int probe(void);

unsigned int probe(void)
{
	return FOLL_INTERRUPTIBLE;
}
