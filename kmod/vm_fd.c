// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is this descriptor a KVM VM? What follows is a cast of its private_data, so
 * nothing that user space can influence may count.
 *
 * Where KVM exports file_is_kvm() to everybody, it decides. Otherwise, and in
 * addition, what only the kernel sets: the file is an anonymous inode, of the
 * name that KVM gives to VMs, and the function that the kernel will call to
 * release it is KVM's own.
 */
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/kallsyms.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/string.h>

#include "kwt.h"

static bool released_by_kvm(const struct file *file)
{
	char name[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(name, (unsigned long)file->f_op->release);
	/* Without the module's name when KVM is built in. */
	return !strcmp(name, "kvm_vm_release [kvm]") ||
	       !strcmp(name, "kvm_vm_release");
}

static bool looks_like_vm(const struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "kvm-vm") &&
	       released_by_kvm(file);
}

bool kwt_file_is_vm(struct file *file)
{
#ifdef KWT_HAVE_FILE_IS_KVM
	if (!file_is_kvm(file))
		return false;
#endif
	return looks_like_vm(file);
}
