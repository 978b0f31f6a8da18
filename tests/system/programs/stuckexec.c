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
 * A thread reads a mapped page of a file system of the user's, which the server does
 * not bring: the thread holds the lock of the address space. Another thread waits for
 * it to write, so that nobody else may read; and a process that shares the address
 * space and wants another one by execve(2) waits with its exec_update_lock held.
 */
#include <errno.h>
#include <fcntl.h>
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuse.h"

#define STACK	(64 * 1024)
/* Seconds, after which it ends whatever happens. */
#define LONGEST	120

/* Who goes on when, and the numbers of who is to be looked at. */
enum { START, PAGE_IS_READ, WRITER, WRITER_WAITS, CHILD, NR_PIPES };

static int pipes[NR_PIPES][2];
static int kvm = -1;
static bool keeps;	/* it does not let anybody close its file */
static void *page;
static char stack[STACK];
static char *const args[] = { (char *)"true", NULL };

/* The server. */

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
	struct fuse_in_header request;
	pid_t child;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(LONGEST);
	while (!fuse_serve(fuse, keeps ? FUSE_FLUSH : FUSE_READ, &request) ||
	       keeps)
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
	fuse = fuse_mount(argv[1]);
	for (i = 0; i < NR_PIPES; i++)
		if (pipe(pipes[i]))
			die("pipe");
	parent = getpid();
	server = fork();
	if (!server)
		be_the_server(fuse, parent);
	/* The connection ends with the server. */
	close(fuse);
	file = fuse_open_file(argv[1]);
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
