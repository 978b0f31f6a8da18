/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_CRC32C_H
#define CTL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli) of @len bytes behind those that gave @crc; begin with 0. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
