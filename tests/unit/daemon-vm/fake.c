// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "attach.h"
#include "caller.h"
#include "fake.h"
#include "genl.h"
#include "inspect.h"
#include "machine.h"
#include "open.h"
#include "pidfd.h"
#include "scan.h"
#include "util.h"

struct fake fake;

const char *__wrap_sd_bus_message_get_sender(sd_bus_message *m);
void *__wrap_sd_bus_get_current_userdata(sd_bus *bus);
int __wrap_sd_bus_reply_method_errorf(sd_bus_message *call, const char *name,
				      const char *format, ...);

const char *__wrap_sd_bus_message_get_sender(sd_bus_message *m)
{
	(void)m;
	return ":1.5";
}

void *__wrap_sd_bus_get_current_userdata(sd_bus *bus)
{
	(void)bus;
	return fake.current;
}

int __wrap_sd_bus_reply_method_errorf(sd_bus_message *call, const char *name,
				      const char *format, ...)
{
	(void)call;
	(void)format;
	snprintf(fake.error, sizeof(fake.error), "%s", name);
	return 0;
}

int caller_ask(sd_bus_message *call, sd_bus_message_handler_t fn,
	       void *userdata, sd_bus_slot **ret)
{
	(void)call;
	*ret = NULL;
	fake.on_caller = fn;
	fake.on_caller_data = userdata;
	return 0;
}

int caller_read(sd_bus_message *reply, struct policy_caller *ret,
		gid_t **ret_groups)
{
	(void)reply;
	*ret = (struct policy_caller) { .uid = fake.caller, .pid = 50 };
	*ret_groups = NULL;
	return 0;
}

int polkit_check(sd_bus_message *call, const char *action,
		 const char *const *details, polkit_fn fn, void *userdata,
		 struct polkit_check **ret)
{
	(void)call;
	(void)action;
	(void)details;
	fake.on_polkit = fn;
	fake.on_polkit_data = userdata;
	*ret = (struct polkit_check *)&fake;
	return 0;
}

void polkit_cancel(struct polkit_check *check)
{
	if (check)
		fake.on_polkit = NULL;
}

void attach_forget(struct attach *attach)
{
	assert_null(attach);
}

void wtrack_session_close(struct wtrack_session *session)
{
	assert_null(session);
}

int genl_get_ranges(struct genl *genl, uint64_t session_id, genl_ranges_fn fn,
		    void *userdata, struct genl_ranges **ret)
{
	(void)genl;
	(void)session_id;
	(void)fn;
	(void)userdata;
	(void)ret;
	return -ENODEV;
}

void genl_ranges_cancel(struct genl_ranges *ranges)
{
	assert_null(ranges);
}

void genl_end_forget(struct genl_end *end)
{
	assert_null(end);
}

int scan_pid_wait(struct scans *scans, pid_t pid,
		  void (*fn)(void *userdata, int result), void *userdata,
		  struct scan_wait **ret)
{
	(void)scans;
	(void)pid;
	(void)ret;
	fn(userdata, 0);
	return 0;
}

void scan_wait_cancel(struct scan_wait *wait)
{
	assert_null(wait);
}

void machines_ask(struct machines *machines, struct process *process)
{
	(void)machines;
	(void)process;
}

void manager_counts_changed(struct manager *m)
{
	(void)m;
}

int bus_vm_add(struct vm *vm)
{
	(void)vm;
	return 0;
}

void bus_vm_gone(struct vm *vm)
{
	(void)vm;
}

void bus_vm_remove(struct vm *vm)
{
	(void)vm;
}

void bus_vm_changed(struct vm *vm, const char *property, ...)
{
	(void)vm;
	(void)property;
}

int bus_session_add(struct session *session)
{
	(void)session;
	return 0;
}

void bus_session_changed(struct session *session, const char *property, ...)
{
	(void)session;
	(void)property;
}

void bus_session_remove(struct session *session)
{
	(void)session;
}

/* Nobody is at the other end. */
static int other_end;

static void make_bus(struct manager *m)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
				    ends), 0);
	other_end = ends[1];
	assert_int_equal(sd_bus_new(&m->bus), 0);
	assert_true(sd_bus_set_fd(m->bus, ends[0], ends[0]) >= 0);
	assert_true(sd_bus_start(m->bus) >= 0);
}

int fake_setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	signal(SIGPIPE, SIG_IGN);
	limits_init(&fake.manager.limits);
	fake.manager.state_dir = strdup("/nonexistent");
	assert_int_equal(sd_event_new(&fake.manager.event), 0);
	make_bus(&fake.manager);
	assert_true(requests_new(&fake.manager, &fake.manager.requests) >= 0);
	return 0;
}

int fake_teardown(void **state)
{
	struct manager *m = &fake.manager;
	struct process *process;

	(void)state;
	requests_free(m->requests);
	LIST_FOREACH(process, &m->processes, link)
		if (!process->ended)
			kill(process->pid, SIGKILL);
	while (wait(NULL) > 0)
		;
	sessions_free(m);
	vms_free(m);
	sd_bus_close_unref(m->bus);
	close(other_end);
	sd_event_source_unref(m->look_source);
	sd_event_unref(m->event);
	limits_done(&m->limits);
	free(m->state_dir);
	return 0;
}

struct process *fake_process(uid_t uid, const char *qemu_name)
{
	struct proc_info info;
	struct process *process;
	int pidfd, r;
	pid_t pid;

	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	pidfd = pidfd_of(pid);
	assert_int_equal(proc_read_info(pid, &info), 0);
	r = process_new(&fake.manager, pid, pidfd, &info, &process);
	assert_int_equal(r, 0);
	safe_close(pidfd);
	process->info.ids.uid = uid;
	assert_int_equal(string_set(&process->info.qemu_name, qemu_name), 0);
	return process;
}

void fake_kill(struct process *process)
{
	pid_t pid = process->pid;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	process_check(&fake.manager, pid);
}

struct vm *fake_vm(struct process *process, int fd)
{
	assert_int_equal(vm_add(&fake.manager, process, fd), 0);
	return vm_find(&fake.manager, process->pid, fd);
}

struct session *fake_session(struct vm *vm, uint64_t id, uid_t uid)
{
	const struct session fields = {
		.id = id, .kind = SESSION_CLIENT, .uid = uid,
		.vm_pid = vm->process->pid, .vm_fd = vm->fd,
	};
	struct session *session;

	assert_int_equal(session_add(&fake.manager, &fields, vm, &session), 0);
	return session;
}

sd_bus_message *fake_call(const char *member)
{
	sd_bus_message *call;

	assert_true(sd_bus_message_new_method_call(
			    fake.manager.bus, &call, BUS_NAME, BUS_PATH,
			    "org.wtrack1.Manager", member) >= 0);
	return call;
}

void fake_caller_is(uid_t uid)
{
	fake.caller = uid;
	fake.on_caller(NULL, fake.on_caller_data, NULL);
}

static const char *name_to_find;

static int fill(struct request *request, sd_bus_message *call,
		sd_bus_error *error)
{
	(void)call;
	(void)error;
	return string_set(&request->vm_text, name_to_find);
}

static void on_found(struct request *request)
{
	fake.found = request->vm;
	request_free(request);
}

static void find_called(struct request *request)
{
	request_find_vm(request, on_found);
}

void fake_find(const char *name, uid_t uid)
{
	sd_bus_message *call = fake_call("FindVM");

	fake.found = NULL;
	*fake.error = '\0';
	name_to_find = name;
	assert_int_equal(request_begin(&fake.manager, call, fill, find_called,
				       NULL), 1);
	sd_bus_message_unref(call);
	fake_caller_is(uid);
}

bool manager_is_watch_user(const struct manager *m, uid_t uid)
{
	return m->has_watch_user && uid == m->watch_user;
}
