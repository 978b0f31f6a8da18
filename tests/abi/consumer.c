// SPDX-License-Identifier: GPL-2.0-or-later
/* A program outside of the tree, in C and in C++. */
#include <stdio.h>
#include <string.h>

#include <wtrack/wtrack.h>

int main(void)
{
	struct wtrack_session *session = NULL;
	struct wtrack_info info;
	int r;

	memset(&info, 0, sizeof(info));
	r = wtrack_get_info(&info, sizeof(info));
	printf("%s\n", wtrack_strerror(r));
	if (wtrack_session_open_vm_fd(-1, &session) >= 0)
		return 1;
	wtrack_session_close(session);
	return 0;
}
