/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_CHOICE_H
#define CONF_CHOICE_H

#include "conf/setting.h"

/* Each ends with word NULL. */
extern const struct setting_choice choice_protocols[];
extern const struct setting_choice choice_facilities[];
extern const struct setting_choice choice_families[];
extern const struct setting_choice choice_pipelining[];
extern const struct setting_choice choice_tls_versions[];
extern const struct setting_choice choice_auto_on_off[];
extern const struct setting_choice choice_reencodings[];
extern const struct setting_choice choice_auto_off[];
extern const struct setting_choice choice_add_missing[];
extern const struct setting_choice choice_reversed[];
extern const struct setting_choice choice_returns[];
extern const struct setting_choice choice_dane_wants[];
extern const struct setting_choice choice_queueings[];

#endif
