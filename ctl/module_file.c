// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "module_file.h"
#include "sysfile.h"

static const char signature_mark[] = "~Module signature appended~\n";

/* The file, mapped. */
struct image {
	const unsigned char *data;
	size_t size;
};

static const void *at(const struct image *image, uint64_t offset, uint64_t size)
{
	if (offset > image->size || size > image->size - offset)
		return NULL;
	return image->data + offset;
}

static const Elf64_Shdr *section_header(const struct image *image,
					const Elf64_Ehdr *elf, unsigned int i)
{
	if (i >= elf->e_shnum || elf->e_shentsize != sizeof(Elf64_Shdr) ||
	    elf->e_shoff % _Alignof(Elf64_Shdr))
		return NULL;
	return at(image, elf->e_shoff + (uint64_t)i * sizeof(Elf64_Shdr),
		  sizeof(Elf64_Shdr));
}

static const char *section_name(const struct image *image,
				const Elf64_Ehdr *elf, const Elf64_Shdr *header)
{
	const Elf64_Shdr *names = section_header(image, elf, elf->e_shstrndx);
	const char *table;

	table = names ? at(image, names->sh_offset, names->sh_size) : NULL;
	if (!table || header->sh_name >= names->sh_size ||
	    !memchr(table + header->sh_name, 0,
		    names->sh_size - header->sh_name))
		return "";
	return table + header->sh_name;
}

static const char *section(const struct image *image, const char *name,
			   size_t *ret_size)
{
	const Elf64_Ehdr *elf = at(image, 0, sizeof(*elf));
	const Elf64_Shdr *header;
	unsigned int i;

	for (i = 0; (header = section_header(image, elf, i)); i++) {
		if (strcmp(section_name(image, elf, header), name))
			continue;
		*ret_size = header->sh_size;
		return at(image, header->sh_offset, header->sh_size);
	}
	return NULL;
}

static void put_hex(char *to, size_t size, const unsigned char *from, size_t n)
{
	size_t i;

	*to = '\0';
	for (i = 0; i < n && 2 * i + 2 < size; i++)
		sprintf(to + 2 * i, "%02x", from[i]);
}

/* A note: its header, "GNU", the id. */
static void read_note(const char *note, size_t size, char *ret, size_t ret_size)
{
	Elf64_Nhdr header;

	*ret = '\0';
	if (size < sizeof(header) + 4)
		return;
	memcpy(&header, note, sizeof(header));
	if (header.n_type != NT_GNU_BUILD_ID || header.n_namesz != 4 ||
	    header.n_descsz > size - sizeof(header) - 4)
		return;
	put_hex(ret, ret_size,
		(const unsigned char *)note + sizeof(header) + 4,
		header.n_descsz);
}

/* key=value strings, one behind the other. */
static void read_vermagic(const char *info, size_t size, char *ret,
			  size_t ret_size)
{
	static const char key[] = "vermagic=";
	size_t length, i;

	for (i = 0; i < size; i += length + 1) {
		length = strnlen(info + i, size - i);
		if (length > sizeof(key) - 1 &&
		    !memcmp(info + i, key, sizeof(key) - 1))
			snprintf(ret, ret_size, "%.*s",
				 (int)(length - sizeof(key) + 1),
				 info + i + sizeof(key) - 1);
	}
}

static int read_image(const struct image *image, struct module_file *ret)
{
	size_t mark = sizeof(signature_mark) - 1, size;
	const Elf64_Ehdr *elf = at(image, 0, sizeof(*elf));
	const char *data;

	if (image->size > 6 && (!memcmp(image->data, "\xfd" "7zXZ", 6) ||
				!memcmp(image->data, "\x28\xb5\x2f\xfd", 4) ||
				!memcmp(image->data, "\x1f\x8b", 2))) {
		ret->compressed = true;
		return 0;
	}
	if (!elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_ident[EI_CLASS] != ELFCLASS64)
		return -ENOEXEC;
	ret->is_signed = image->size > mark &&
		!memcmp(image->data + image->size - mark, signature_mark, mark);
	data = section(image, ".modinfo", &size);
	if (data)
		read_vermagic(data, size, ret->vermagic, sizeof(ret->vermagic));
	data = section(image, ".note.gnu.build-id", &size);
	if (data)
		read_note(data, size, ret->build_id, sizeof(ret->build_id));
	return 0;
}

int module_file_read(const char *path, struct module_file *ret)
{
	struct image image;
	struct stat st;
	void *data;
	int fd, r;

	*ret = (struct module_file) { 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	data = r ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ,
				     MAP_PRIVATE, fd, 0);
	if (!r && data == MAP_FAILED)
		r = -errno;
	close(fd);
	if (r)
		return r;
	image = (struct image) { data, (size_t)st.st_size };
	r = read_image(&image, ret);
	munmap(data, image.size);
	return r;
}

/* Lines of modules.dep: "updates/dkms/kvm-wtrack.ko.xz: ..." */
static bool is_entry(const char *line, const char *name)
{
	size_t length = strlen(name);
	const char *base = line, *p;

	for (p = line; *p && *p != ':'; p++)
		if (*p == '/')
			base = p + 1;
	return !strncmp(base, name, length) && !strncmp(base + length, ".ko", 3);
}

int module_find(const char *release, const char *name, char *ret, size_t size)
{
	char path[256];
	char *line = NULL;
	size_t room = 0;
	int r = -ENOENT;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return -ENOENT;
	while (r && getline(&line, &room, file) > 0) {
		if (!is_entry(line, name))
			continue;
		line[strcspn(line, ":")] = '\0';
		snprintf(ret, size, "%s%s%s%s", *line == '/' ? "" : "/lib/modules/",
			 *line == '/' ? "" : release, *line == '/' ? "" : "/",
			 line);
		r = 0;
	}
	free(line);
	fclose(file);
	return r;
}

void module_loaded_id(const char *module, char *ret, size_t size)
{
	char path[256], note[256];
	ssize_t n;

	*ret = '\0';
	snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id",
		 module);
	n = sysfile_read(path, note, sizeof(note));
	if (n > 0)
		read_note(note, (size_t)n, ret, size);
}
