// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM with functions of its own by names that a library's might have, too.
 * It is linked with all of the static library, so that each of them would be
 * defined twice.
 */
#include <stddef.h>
#include <wtrack/wtrack.h>

#define OWN(name)	int name(void); int name(void) { nr_calls++; return -1; }

static int nr_calls;

OWN(bus_open_session)
OWN(change_run)
OWN(copy_sized)
OWN(device_get_info)
OWN(device_get_status)
OWN(device_open)
OWN(load_sized)
OWN(resync_inherit)
OWN(retry_ioctl)
OWN(ring_map)
OWN(ring_unmap)
OWN(sys_alloc)
OWN(sys_close)
OWN(sys_free)
OWN(sys_ioctl)
OWN(sys_mmap)
OWN(sys_open)
OWN(sys_poll)

int main(void)
{
	struct wtrack_session *session = NULL;
	struct wtrack_info info;

	/* Whether there is a device or not: the program's are not called. */
	wtrack_get_info(&info, sizeof(info));
	if (wtrack_session_open_vm_fd(-1, &session) >= 0)
		return 1;
	if (wtrack_session_open_daemon_pid(0, 0, &session, NULL) >= 0)
		return 2;
	return nr_calls ? 3 : 0;
}
