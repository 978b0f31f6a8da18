// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: stuckexec DIRECTORY [vm|close]
 *
 * As any user, without privileges, makes a process that is within execve(2) as
 * long as the user likes: whoever wants a descriptor of it, its memory or its
 * command line waits as well. Prints "stuck PID"; all of it ends with the standard
 * input. With "vm" that process is a VMM: it prints "vm PID FD" at first, and gets
 * stuck when there is a line on the standard input. With "close" it is a VMM whose
 * descriptor becomes that of a file then, which nobody gets closed.
 *
 * A user namespace of one's own may mount FUSE. A thread reads a mapped page of
 * it, which the server does not bring: the thread holds the lock of the address
 * space. Another thread waits for it to write, so that nobody else may read; and
 * a process that shares the address space and wants another one by execve(2)
 * waits with its exec_update_lock held.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK	(64 * 1024)
/* Seconds, after which it ends whatever happens. */
#define LONGEST	60

/* Who goes on when, and the numbers of who is to be looked at. */
enum { START, PAGE_IS_READ, WRITER, WRITER_WAITS, CHILD, NR_PIPES };

static int pipes[NR_PIPES][2];
static int kvm = -1;
static bool keeps;	/* it does not let anybody close its file */
static void *page;
static char stack[STACK];
static char *const args[] = { (char *)"true", NULL };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void become_root_of_a_namespace(void)
{
	char map[2][64];

	snprintf(map[0], sizeof(map[0]), "0 %u 1", getuid());
	snprintf(map[1], sizeof(map[1]), "0 %u 1", getgid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", map[0]);
	write_file("/proc/self/gid_map", map[1]);
}

/* The server. */

static void reply(int fuse, uint64_t unique, int error, const void *data,
		  size_t size)
{
	char buffer[512];
	struct fuse_out_header *head = (void *)buffer;

	head->len = sizeof(*head) + size;
	head->error = error;
	head->unique = unique;
	if (size)
		memcpy(head + 1, data, size);
	if (write(fuse, buffer, head->len) < 0)
		perror("fuse");
}

static struct fuse_attr attributes(uint64_t node)
{
	return (struct fuse_attr) {
		.ino = node,
		.mode = node == 1 ? S_IFDIR | 0755 : S_IFREG | 0644,
		.nlink = 1,
		.size = node == 1 ? 0 : 4096,
		.blksize = 4096,
	};
}

/* True when it was the page that is not brought. */
static bool serve(int fuse)
{
	static char buffer[1 << 17];
	struct fuse_in_header *in = (void *)buffer;
	struct fuse_init_out init = { .major = 7, .minor = 31, .max_write = 4096 };
	struct fuse_entry_out entry = {
		.nodeid = 2, .entry_valid = 1000, .attr_valid = 1000,
		.attr = attributes(2),
	};
	struct fuse_attr_out attr = { .attr_valid = 1000 };
	struct fuse_open_out opened = { 0 };

	if (read(fuse, buffer, sizeof(buffer)) < 0)
		return false;
	switch (in->opcode) {
	case FUSE_INIT:
		reply(fuse, in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		reply(fuse, in->unique, 0, &entry, sizeof(entry));
		break;
	case FUSE_GETATTR:
		attr.attr = attributes(in->nodeid);
		reply(fuse, in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		reply(fuse, in->unique, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		return true;
	case FUSE_FLUSH:
		if (!keeps)
			reply(fuse, in->unique, -ENOSYS, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fuse, in->unique, -ENOSYS, NULL, 0);
	}
	return false;
}

/* Until a thread of the process waits in the kernel, and not for a signal. */
static void wait_until_stuck(pid_t pid, pid_t tid)
{
	char path[64], text[512], *state = NULL;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	do {
		usleep(1000);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			die(path);
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		text[n > 0 ? n : 0] = '\0';
		state = strrchr(text, ')');
	} while (!state || state[2] != 'D');
}

static pid_t receive(int nr)
{
	pid_t number;

	if (read(pipes[nr][0], &number, sizeof(number)) != sizeof(number))
		die("read");
	return number;
}

static void send(int nr, pid_t number)
{
	if (write(pipes[nr][1], &number, sizeof(number)) != sizeof(number))
		die("write");
}

/* It has an address space of its own, and so looks at what the others do. */
static void be_the_server(int fuse, pid_t parent)
{
	pid_t child;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LONGEST);
	while (!serve(fuse) || keeps)
		;
	send(PAGE_IS_READ, 0);
	wait_until_stuck(parent, receive(WRITER));
	send(WRITER_WAITS, 0);
	child = receive(CHILD);
	printf("stuck %d\n", child);
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) < 0)
		perror("read");
	kill(child, SIGKILL);
	kill(parent, SIGKILL);
	_exit(0);
}

/* Those who get stuck. */

static void *read_the_page(void *arg)
{
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char c;

	receive(START);
	if (pread(mem, &c, 1, (off_t)(uintptr_t)page) < 0)
		perror("pread");
	return arg;
}

static void *change_the_mappings(void *arg)
{
	receive(PAGE_IS_READ);
	send(WRITER, (pid_t)syscall(SYS_gettid));
	mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return arg;
}

/*
 * A line that is not written from where others wait for the address space. Returns
 * the VM when there was one on the standard input.
 */
static int be_a_vmm(void)
{
	char line[64];
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0)
		die("KVM_CREATE_VM");
	snprintf(line, sizeof(line), "vm %d %d\n",
		 (int)syscall(SYS_getpid), vm);
	if (write(STDOUT_FILENO, line, strlen(line)) < 0 ||
	    read(STDIN_FILENO, line, sizeof(line)) < 0)
		die("vm");
	return vm;
}

/*
 * The VM lives on, so that nothing tells that it is not there any more. The server
 * ends first: this process has the file open, too.
 */
static void be_a_vmm_that_keeps(int file, pid_t server)
{
	int vm = be_a_vmm();
	char c;

	if (dup(vm) < 0 || dup2(file, vm) < 0)
		die("dup2");
	printf("stuck %d\n", getpid());
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) < 0)
		perror("read");
	kill(server, SIGKILL);
	exit(0);
}

static int exec_something(void *arg)
{
	(void)arg;
	if (kvm >= 0)
		(void)be_a_vmm();
	send(START, 0);
	receive(WRITER_WAITS);
	syscall(SYS_execve, "/bin/true", args, args + 1);
	return 1;
}

int main(int argc, char **argv)
{
	char options[128], path[512];
	pthread_t reader, writer;
	pid_t parent, child, server;
	int fuse, file, i;

	if (argc != 2 && argc != 3)
		return 2;
	if (argc == 3) {
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
		if (kvm < 0)
			die("/dev/kvm");
	}
	keeps = argc == 3 && !strcmp(argv[2], "close");
	alarm(LONGEST);
	become_root_of_a_namespace();
	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
	if (mount("stuck", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		die("mount");
	for (i = 0; i < NR_PIPES; i++)
		if (pipe(pipes[i]))
			die("pipe");
	parent = getpid();
	server = fork();
	if (!server)
		be_the_server(fuse, parent);
	/* The connection ends with the server. */
	close(fuse);
	snprintf(path, sizeof(path), "%s/file", argv[1]);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		die(path);
	if (keeps)
		be_a_vmm_that_keeps(file, server);
	/* From where KVM's descriptors are, too: one to look at more closely. */
	if (eventfd(0, 0) < 0)
		die("eventfd");
	/* Whoever needs a page while the writer waits would get stuck. */
	memset(stack, 1, sizeof(stack));
	if (mlockall(MCL_CURRENT))
		perror("mlockall");
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	if (page == MAP_FAILED)
		die("mmap");
	/* Not by execve(2), which would wait for the server before it should. */
	close(file);
	if (pthread_create(&writer, NULL, change_the_mappings, NULL) ||
	    pthread_create(&reader, NULL, read_the_page, NULL))
		die("thread");
	/*
	 * It comes back when the child gives the address space up: it has the
	 * lock right after that. To look for it in /proc would be to wait.
	 */
	child = clone(exec_something, stack + sizeof(stack) - 64,
		      CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	send(CHILD, child);
	pause();
	return 0;
}
