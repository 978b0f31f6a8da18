// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "module_file.h"
#include "test.h"

static const char names[] = "\0.modinfo\0.note.gnu.build-id\0.shstrtab";
static const char info[] = "license=GPL\0vermagic=6.12.1-amd64 SMP mod_unload ";
static const char mark[] = "~Module signature appended~\n";

/* A module, as far as that what is looked at goes. */
struct module {
	Elf64_Ehdr elf;
	Elf64_Shdr sections[4];
	char names[sizeof(names)];
	char info[sizeof(info)];
	struct {
		Elf64_Nhdr header;
		char name[4];
		unsigned char id[20];
	} note;
	char fill[4];
	char mark[sizeof(mark) - 1];
};

_Static_assert(offsetof(struct module, mark) + sizeof(mark) - 1 ==
	       sizeof(struct module), "the mark is at the end");

static void make_section(struct module *m, unsigned int i, uint32_t name,
			 size_t offset, size_t size)
{
	m->sections[i].sh_name = name;
	m->sections[i].sh_offset = offset;
	m->sections[i].sh_size = size;
}

static struct module make(void)
{
	struct module m = { 0 };

	memcpy(m.elf.e_ident, ELFMAG, SELFMAG);
	m.elf.e_ident[EI_CLASS] = ELFCLASS64;
	m.elf.e_shoff = offsetof(struct module, sections);
	m.elf.e_shentsize = sizeof(Elf64_Shdr);
	m.elf.e_shnum = 4;
	m.elf.e_shstrndx = 3;
	make_section(&m, 1, 1, offsetof(struct module, info), sizeof(info));
	make_section(&m, 2, 10, offsetof(struct module, note), sizeof(m.note));
	make_section(&m, 3, 29, offsetof(struct module, names), sizeof(names));
	memcpy(m.names, names, sizeof(names));
	memcpy(m.info, info, sizeof(info));
	m.note.header = (Elf64_Nhdr) { 4, 20, NT_GNU_BUILD_ID };
	memcpy(m.note.name, "GNU", 4);
	memset(m.note.id, 0xab, sizeof(m.note.id));
	memcpy(m.mark, mark, sizeof(m.mark));
	return m;
}

static int look_at(const void *data, size_t size, struct module_file *ret)
{
	int fd = memfd_create("module", 0);
	char path[64];
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = module_file_read(path, ret);
	close(fd);
	return r;
}

static void a_module_tells_its_kernel_build_and_signature(void **state)
{
	struct module m = make();
	struct module_file file;

	(void)state;
	assert_int_equal(look_at(&m, sizeof(m), &file), 0);
	assert_string_equal(file.vermagic, "6.12.1-amd64 SMP mod_unload ");
	assert_string_equal(file.build_id,
			    "abababababababababababababababababababab");
	assert_true(file.is_signed);
	assert_false(file.compressed);
	assert_int_equal(look_at(&m, sizeof(m) - 1, &file), 0);
	assert_false(file.is_signed);
}

static void a_compressed_one_tells_that_it_is(void **state)
{
	struct module_file file;

	(void)state;
	assert_int_equal(look_at("\xfd" "7zXZ\0.....", 11, &file), 0);
	assert_true(file.compressed);
	assert_int_equal(look_at("\x28\xb5\x2f\xfd.....", 9, &file), 0);
	assert_true(file.compressed);
}

/* Whatever byte is wrong, and wherever the file ends, nothing is overrun. */
static void a_damaged_one_does_no_harm(void **state)
{
	struct module m = make(), bad;
	struct module_file file;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(m); i++) {
		bad = m;
		((unsigned char *)&bad)[i] ^= 0xff;
		assert_in_range(-look_at(&bad, sizeof(bad), &file), 0, 133);
		assert_in_range(-look_at(&m, i, &file), 0, 133);
	}
	assert_int_equal(look_at("text", 4, &file), -ENOEXEC);
	assert_int_not_equal(look_at("", 0, &file), 0);
	assert_int_equal(module_file_read("/nonexistent", &file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_module_tells_its_kernel_build_and_signature),
		CASE(a_compressed_one_tells_that_it_is),
		CASE(a_damaged_one_does_no_harm),
	};

	return RUN(cases);
}
