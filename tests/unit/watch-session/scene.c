// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "scene.h"
#include "sys.h"
#include "util.h"

struct scene scene;

/* Of a pipe: what the loop waits for in the place of the module's descriptor. */
static int event_fd, event_writer;

int __wrap_wtrack_session_get_fd(const struct wtrack_session *session);

int __wrap_wtrack_session_get_fd(const struct wtrack_session *session)
{
	(void)session;
	return event_fd;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*fn)(void *), void *argument)
{
	return scene.no_threads ? EAGAIN :
	       __real_pthread_create(thread, attributes, fn, argument);
}

/* wtrackd, as the library asks it. */

struct wtrack_request {
	int fd;
	bool hangs;
};

int wtrack_request_new(const char *vm, const struct wtrack_restriction *wanted,
		       size_t size, unsigned int flags,
		       struct wtrack_request **ret)
{
	(void)size;
	assert_true(!strcmp(vm, "4242:10") || !strcmp(vm, "1:10"));
	assert_null(wanted);
	assert_int_equal(flags, 0);
	*ret = calloc(1, sizeof(**ret));
	(*ret)->fd = eventfd(!scene.is_slow, EFD_CLOEXEC);
	(*ret)->hangs = !strcmp(vm, "1:10");
	__atomic_add_fetch(&scene.nr_requests, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&scene.all_requests, 1, __ATOMIC_RELAXED);
	return 0;
}

int wtrack_request_get_fd(const struct wtrack_request *request)
{
	return request->fd;
}

int wtrack_request_finish(struct wtrack_request *request,
			  struct wtrack_session **ret, char **ret_message)
{
	eventfd_t count;

	assert_null(ret_message);
	if (request->hangs) {
		(void)eventfd_write(scene.hangs, 1);
		(void)eventfd_read(scene.goes_on, &count);
		return -ESRCH;
	}
	if (scene.open_error)
		return scene.open_error;
	return wtrack_session_open_vm_fd(FAKE_VM_FD, ret);
}

void wtrack_request_close(struct wtrack_request *request)
{
	if (!request)
		return;
	close(request->fd);
	free(request);
	__atomic_sub_fetch(&scene.nr_requests, 1, __ATOMIC_RELAXED);
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

/* They stay, whoever gives up references. */
static void make_watch(void)
{
	scene.config = (struct watch_config){
		.refs = 1000, .name = (char *)"doorbells",
		.path = (char *)"doorbells.conf", .ring_records = 16,
	};
	scene.counts.refs = 1000;
}

static void make_guest(void)
{
	assert_int_equal(shared_init(&scene.shared), 0);
	assert_int_equal(guest_new(&scene.shared, FAKE_PID, &scene.guest), 0);
	journal_init(&scene.guest->journal, journal_path);
	assert_int_equal(guest_begin(scene.guest), 0);
	assert_int_equal(string_set(&scene.guest->vm_name, "web"), 0);
	scene.guest->vm_fd = 10;
	scene.guest->present = true;
	scene.guest->named = true;
}

int scene_setup(void **state)
{
	char path[96];
	int pipe_fds[2];

	fake_setup(state);
	memset(&scene, 0, sizeof(scene));
	strcpy(scene.dir, "/tmp/watch_test.XXXXXX");
	assert_non_null(mkdtemp(scene.dir));
	scene.journald = listen_at("journal", journal_path);
	scene.systemd = listen_at("notify", path);
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	event_fd = pipe_fds[0];
	event_writer = pipe_fds[1];
	scene.hangs = eventfd(0, EFD_CLOEXEC);
	scene.goes_on = eventfd(0, EFD_CLOEXEC);
	make_watch();
	make_guest();
	return 0;
}

int scene_teardown(void **state)
{
	char path[96];

	guest_end(scene.guest);
	guest_free(scene.guest);
	assert_int_equal(scene.nr_requests, 0);
	watch_users_free(&scene.shared);
	shared_done(&scene.shared);
	ranges_clear(&scene.config.ranges);
	close(scene.journald);
	close(scene.systemd);
	close(event_fd);
	safe_close(event_writer);
	close(scene.hangs);
	close(scene.goes_on);
	unlink(journal_path);
	sprintf(path, "%s/notify", scene.dir);
	unlink(path);
	rmdir(scene.dir);
	return fake_teardown(state);
}

void scene_run(unsigned int usec)
{
	uint64_t end = now_usec() + usec;

	while (sd_event_run(scene.guest->event, 0) > 0)
		;
	while (now_usec() < end) {
		usleep(100);
		while (sd_event_run(scene.guest->event, 0) > 0)
			;
	}
}

static void await(int fd)
{
	struct pollfd told = { .fd = fd, .events = POLLIN };

	while (!poll(&told, 1, 0))
		assert_true(sd_event_run(scene.guest->event, UINT64_MAX) >= 0);
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

void scene_hang_up(void)
{
	event_writer = safe_close(event_writer);
}

struct watch_session *scene_start(const struct wtrack_range *ranges, size_t nr)
{
	struct watch_session *session;
	size_t i;

	for (i = 0; i < nr; i++)
		assert_int_equal(ranges_add(&scene.config.ranges, &ranges[i]),
				 0);
	assert_int_equal(watch_session_new(scene.guest, "doorbells",
					   &scene.config, &scene.counts,
					   &session), 0);
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
	assert_int_equal(watch_session_new(scene.guest, "doorbells",
					   &scene.config, &scene.counts,
					   &next), 0);
	assert_int_equal(watch_session_take(next, fd), 0);
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

static int count_not_stored(const struct report *report, void *userdata)
{
	unsigned int *nr = userdata;

	*nr += report->error == -ENOSPC;
	return 0;
}

unsigned int scene_nr_not_stored(void)
{
	unsigned int nr = 0;

	guest_each_report(scene.guest, count_not_stored, &nr);
	return nr;
}

void scene_order(struct guest_orders *orders)
{
	struct guest *guest = scene.guest;

	guest->orders = *orders;
	guest->has_orders = true;
	*orders = (struct guest_orders) { 0 };
	(void)guest_obey(guest);
	scene_run(0);
}
