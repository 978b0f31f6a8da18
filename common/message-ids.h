/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MESSAGE_ID of what wtrackd and wtrack-watch write to the journal; wtrackd.catalog
 * explains each of them.
 */
#ifndef COMMON_MESSAGE_IDS_H
#define COMMON_MESSAGE_IDS_H

/*
 * A session was opened for a client; refused; closed by its last holder; ended by
 * somebody who may.
 */
#define MESSAGE_SESSION_OPENED	"6f491d8a0cf0483abb51790d05c40522"
#define MESSAGE_SESSION_REFUSED	"ba9a2526208249dc95820fcb8e53c948"
#define MESSAGE_SESSION_CLOSED	"f63ef6b1ecf6438b9d047acc312940fd"
#define MESSAGE_SESSION_ENDED	"2c9a1f6f6b1c4f0d9a5c7d1e83b4706a"
/* The daemon stops, and sessions of others go on. */
#define MESSAGE_SESSIONS_LEFT	"8e6b0c1d52f84f0e9d3f4c7a16b29e35"

/* A virtual machine appeared; is gone. */
#define MESSAGE_VM_FOUND	"5ad4bb480a364e6794e4d056a4b7930c"
#define MESSAGE_VM_GONE		"3dcc8cd9df35452d9b1ca5cf80b48ee1"

/* The kernel module came; went. */
#define MESSAGE_MODULE_LOADED	"0f41bdec46824af7910945c3a2ea841f"
#define MESSAGE_MODULE_UNLOADED	"6312e7119c1b4487be3964827a2e4781"

/* A line of a configuration file was left out. */
#define MESSAGE_CONFIG_PROBLEM	"3a1d0c9d119d4795a642c1dc4fdcc154"

/* The configuration was read again. */
#define MESSAGE_RELOADED	"28d01dfb1bd74573b2dd860076cc636d"

/* Notices of the module were lost, all was asked for again. */
#define MESSAGE_RESYNCHRONISED	"b3767a60958d499281ac5d05bdd330de"

/* Watches of the administrator: begun on a VM; taken over from before. */
#define MESSAGE_WATCH_ARMED	"a7efd454e6e44e628fcf10a79a4311f7"
#define MESSAGE_WATCH_RESUMED	"f1087e16f566436fbcc0c93f8de08cdc"
/* A write; the guard's steps. */
#define MESSAGE_WATCH_WRITE	"30048d38a22c45d0917dded25544b366"
#define MESSAGE_WATCH_GUARD	"c2fac935493144c98e47faeb57958051"
/* The rate limit: reached; of entries about pages; what was held back. */
#define MESSAGE_WATCH_LIMITED	"c4b430ecb60a46cb9d59d9a174378007"
#define MESSAGE_WATCH_PAUSED	"5d0a7f1c3b0e4c6f9a2d84e6b1f7c935"
#define MESSAGE_WATCH_SUPPRESSED	"a1f946d1fceb4cf1967108daa6d88fc5"
/* The ring was full; pages that were written to then. */
#define MESSAGE_WATCH_OVERFLOW	"2bf70de89c704c2eba47998252c086f0"
#define MESSAGE_WATCH_RESYNC	"afbc56d46f5b4d5b9db2105ea8a3b89c"
/* Memory was removed; pages are not tracked; they are again. */
#define MESSAGE_WATCH_REMOVED	"200a555e035844e89e0091f92edc3089"
#define MESSAGE_WATCH_GAP	"ebdb8c24be7442fb85327ed279b4eaf1"
#define MESSAGE_WATCH_REARMED	"ee1ea99502fa46b4b8715020188a9d64"
/* The VM is gone; the watch was taken away; it does not work. */
#define MESSAGE_WATCH_ENDED	"62edb6895cee4f74a457c59d9dc49433"
#define MESSAGE_WATCH_STOPPED	"60bf311f18f040f09766aa79ed7f9406"
#define MESSAGE_WATCH_FAILED	"7037b31eabe14068b220eb71e51870f8"

#endif
