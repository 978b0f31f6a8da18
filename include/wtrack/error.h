/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors of libwtrack as texts. */
#ifndef WTRACK_ERROR_H
#define WTRACK_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * wtrack_strerror() - what an error means and what to do next
 * @err: what a function of this library returned; the sign does not matter
 *
 * The text begins in lower case and has no full stop, so that it fits behind
 * "program: ". It is in English, constant, and valid for ever.
 *
 * Return: the text, never NULL; for 0 and for numbers that this library does
 * not return, a text that says so.
 * Since: 1.0
 */
const char *wtrack_strerror(int err);

#ifdef __cplusplus
}
#endif

#endif
