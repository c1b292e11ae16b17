/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/* What the writer executes and the plugin looks for: an 8-byte nop, nopl X(%rax,%rax). */
#ifndef E4D_MARKER_H
#define E4D_MARKER_H

#define E4D_MARK_START 1
#define E4D_MARK_STOP  2

#define E4D_MARK_BYTES(op) 0x0f, 0x1f, 0x84, 0x00, op, 0xd4, 0xe4, 0x5a

#endif
