// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: unattached NUMBER VM
 *
 * Has wtrackd open so many sessions on a VM of this user, leaves the bus, and does
 * not attach them. Prints "session ID" for each, or "error NAME MESSAGE" for the
 * first that is refused, then "ready". At a line "attach" on its standard input it
 * attaches the first, and prints "attached" or an errno; it ends with that input.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

static int first = -1, vmm = -1, vm_fd = -1;

static int open_one(const char *vm)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *path;
	sd_bus *bus = NULL;
	int fd, attached, pidfd, r;
	uint64_t id;

	if (sd_bus_open_system(&bus) < 0)
		return -1;
	r = sd_bus_call_method(bus, "org.wtrack1", "/org/wtrack1",
			       "org.wtrack1.Manager", "OpenSession", &error,
			       &reply, "sa{sv}", vm, 0);
	if (r >= 0)
		r = sd_bus_message_read(reply, "htobhi", &fd, &id, &path,
					&attached, &pidfd, &vm_fd);
	if (r < 0)
		printf("error %s %s\n", error.name, error.message);
	else
		printf("session %" PRIu64 "%s\n", id,
		       attached ? " attached" : "");
	if (r >= 0) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (first < 0) {
			first = fd;
			vmm = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
		}
	}
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(bus);
	return r;
}

static void attach(void)
{
	struct wtrack_session *session;
	int vm = (int)syscall(SYS_pidfd_getfd, vmm, vm_fd, 0);
	int r = vm < 0 ? -errno : wtrack_session_open_fd(first, &session);

	if (r >= 0)
		r = wtrack_session_attach(session, vm);
	printf("%s\n", r < 0 ? strerrorname_np(-r) : "attached");
	close(vm);
}

int main(int argc, char **argv)
{
	char line[32];
	int n, r = 0;

	if (argc != 3)
		return 2;
	for (n = atoi(argv[1]); n && r >= 0; n--)
		r = open_one(argv[2]);
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "attach\n"))
			attach();
		fflush(stdout);
	}
	return 0;
}
