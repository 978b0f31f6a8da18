// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "scene.h"
#include "session.h"
#include "sys.h"
#include "util.h"

struct scene scene;

static int event_fd;

int __wrap_wtrack_session_get_fd(const struct wtrack_session *session);

int __wrap_wtrack_session_get_fd(const struct wtrack_session *session)
{
	(void)session;
	return event_fd;
}

/* The daemon's parts that watches call. */

int session_open_own(struct vm *vm, struct wtrack_session **ret,
		     struct session **ret_account)
{
	assert_ptr_equal(vm, &scene.vm);
	*ret_account = NULL;
	if (scene.open_error)
		return scene.open_error;
	return wtrack_session_open_vm_fd(FAKE_VM_FD, ret);
}

int session_adopt_own(struct manager *m, struct wtrack_session *wtrack,
		      struct session **ret_account)
{
	(void)m;
	(void)wtrack;
	*ret_account = NULL;
	return 0;
}

const char *vm_name(const struct vm *vm)
{
	return vm->process->info.qemu_name;
}

void bus_watch_changed(struct manager *m, const char *path,
		       const char *property, ...)
{
	(void)m;
	(void)path;
	(void)property;
}

static int listen_at(const char *name, char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	sprintf(path, "%s/%s", scene.dir, name);
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      sizeof(address)), 0);
	return fd;
}

static char journal_path[96];

static void make_manager(void)
{
	assert_int_equal(sd_event_new(&scene.manager.event), 0);
	scene.process = (struct process){
		.pid = FAKE_PID, .machine = (char *)"",
		.info = { .qemu_name = (char *)"web" },
	};
	scene.vm = (struct vm){ .process = &scene.process };
	scene.config = (struct watch_config){
		.name = (char *)"doorbells", .path = (char *)"doorbells.conf",
		.ring_records = 16,
	};
	scene.watch = (struct watch){
		.watches = &scene.watches, .config = &scene.config,
	};
	scene.watches.manager = &scene.manager;
	scene.watches.store_max = UINT32_MAX;
	LIST_INSERT_HEAD(&scene.watches.list, &scene.watch, link);
	journal_init(&scene.watches.journal, journal_path);
}

int scene_setup(void **state)
{
	char path[96];

	fake_setup(state);
	memset(&scene, 0, sizeof(scene));
	strcpy(scene.dir, "/tmp/watch_test.XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	scene.journald = listen_at("journal", journal_path);
	scene.systemd = listen_at("notify", path);
	setenv("NOTIFY_SOCKET", path, 1);
	event_fd = eventfd(0, EFD_CLOEXEC);
	make_manager();
	return 0;
}

int scene_teardown(void **state)
{
	char path[96];

	while (!LIST_EMPTY(&scene.watches.sessions))
		watch_session_free(LIST_FIRST(&scene.watches.sessions));
	watch_drop_source(&scene.watches.journal_io);
	watch_drop_source(&scene.watches.journal_timer);
	journal_close(&scene.watches.journal);
	watch_users_free(&scene.watches);
	ranges_clear(&scene.config.ranges);
	sd_event_unref(scene.manager.event);
	close(scene.journald);
	close(scene.systemd);
	close(event_fd);
	unlink(journal_path);
	sprintf(path, "%s/notify", scene.dir);
	unlink(path);
	rmdir(scene.dir);
	return fake_teardown(state);
}

void scene_run(unsigned int usec)
{
	uint64_t end = now_usec() + usec;

	while (sd_event_run(scene.manager.event, 0) > 0)
		;
	while (now_usec() < end) {
		usleep(100);
		while (sd_event_run(scene.manager.event, 0) > 0)
			;
	}
}

static void await(int fd)
{
	struct pollfd told = { .fd = fd, .events = POLLIN };

	while (!poll(&told, 1, 0))
		assert_true(sd_event_run(scene.manager.event, UINT64_MAX) >= 0);
}

void scene_await_entry(void)
{
	await(scene.journald);
}

void scene_await_told(void)
{
	await(scene.systemd);
}

void scene_io(struct watch_session *session)
{
	session->check = true;
	watch_session_poke(session);
	scene_run(0);
}

struct watch_session *scene_start(const struct wtrack_range *ranges, size_t nr)
{
	struct watch_session *session;
	size_t i;

	for (i = 0; i < nr; i++)
		assert_int_equal(ranges_add(&scene.config.ranges, &ranges[i]),
				 0);
	assert_int_equal(watch_session_new(&scene.watches, &scene.watch,
					   "doorbells", &session), 0);
	assert_int_equal(watch_session_set_vm(session, &scene.vm), 0);
	watch_session_open(session);
	scene_run(0);
	return session;
}

/*
 * The module's session lives on, its ring as it is: the fake has one, so a new
 * descriptor of it is what the service manager kept.
 */
struct watch_session *scene_restart(struct watch_session *session)
{
	struct watch_session *next;
	int fd;

	fd = fake_new_fd(FAKE_SESSION);
	watch_session_free(session);
	assert_int_equal(watch_session_new(&scene.watches, &scene.watch,
					   "doorbells", &next), 0);
	assert_int_equal(watch_session_take(next, fd), 0);
	assert_int_equal(watch_session_set_vm(next, &scene.vm), 0);
	scene_run(0);
	return next;
}

/* A socket has room for ten entries only, if nobody has set that higher. */
static bool next_entry(void)
{
	size_t size = sizeof(scene.entry) - 1;
	ssize_t n = recv(scene.journald, scene.entry, size, 0);

	if (n < 0) {
		scene_run(0);
		n = recv(scene.journald, scene.entry, size, 0);
	}
	if (n < 0)
		return false;
	scene.entry[n] = '\0';
	return true;
}

void expect_field(const char *name, const char *value)
{
	char line[512];

	snprintf(line, sizeof(line), "\n%s=%s\n", name, value);
	if (!strstr(scene.entry, line))
		print_error("wanted%sin\n%s", line, scene.entry);
	assert_non_null(strstr(scene.entry, line));
}

void expect(const char *id)
{
	if (!next_entry())
		fail_msg("no entry");
	expect_field("MESSAGE_ID", id);
}

void expect_nothing(void)
{
	if (next_entry())
		fail_msg("an entry:\n%s", scene.entry);
}

bool skip_to(const char *id)
{
	char line[64];

	snprintf(line, sizeof(line), "\nMESSAGE_ID=%s\n", id ? id : "");
	while (next_entry())
		if (!id || strstr(scene.entry, line))
			return true;
	return false;
}

/* Descriptors that came with it are closed: that is an answer to barriers. */
void expect_told(const char *text)
{
	char told[512] = "", control[256];
	struct iovec iov = { told, sizeof(told) - 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int fd;

	if (recvmsg(scene.systemd, &message, MSG_CMSG_CLOEXEC) < 0)
		message.msg_controllen = 0;
	assert_string_equal(told, text);
	for (c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		close(fd);
	}
	scene_run(0);
}
