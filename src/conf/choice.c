/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The words that a setting's argument may be, and what they stand for. Of
 * several words for one value the first is printed.
 */
#include "conf/choice.h"

#include <syslog.h>

const struct setting_choice choice_protocols[] = {
	{"smtp", false},
	{"lmtp", true},
	{NULL, 0},
};

const struct setting_choice choice_facilities[] = {
	{"off", 0},
	{"LOG_USER", LOG_USER},
	{"on", LOG_USER},
	{"LOG_MAIL", LOG_MAIL},
	{"LOG_LOCAL0", LOG_LOCAL0},
	{"LOG_LOCAL1", LOG_LOCAL1},
	{"LOG_LOCAL2", LOG_LOCAL2},
	{"LOG_LOCAL3", LOG_LOCAL3},
	{"LOG_LOCAL4", LOG_LOCAL4},
	{"LOG_LOCAL5", LOG_LOCAL5},
	{"LOG_LOCAL6", LOG_LOCAL6},
	{"LOG_LOCAL7", LOG_LOCAL7},
	{NULL, 0},
};

const struct setting_choice choice_families[] = {
	{"any", FAMILY_ANY},
	{"ipv4", FAMILY_IPV4},
	{"ipv6", FAMILY_IPV6},
	{NULL, 0},
};

const struct setting_choice choice_pipelining[] = {
	{"auto", PIPELINING_AUTO},
	{"on", PIPELINING_ON},
	{"off", PIPELINING_OFF},
	{NULL, 0},
};

const struct setting_choice choice_tls_versions[] = {
	{"1.2", TLS_1_2},
	{"1.3", TLS_1_3},
	{NULL, 0},
};

const struct setting_choice choice_auto_on_off[] = {
	{"auto", EDIT_AUTO},
	{"on", EDIT_ON},
	{"off", EDIT_OFF},
	{NULL, 0},
};

const struct setting_choice choice_reencodings[] = {
	{"auto", REENCODE_AUTO},
	{"on", REENCODE_ON},
	{"off", REENCODE_OFF},
	{NULL, 0},
};

const struct setting_choice choice_auto_off[] = {
	{"auto", EDIT_AUTO},
	{"off", EDIT_OFF},
	{NULL, 0},
};

const struct setting_choice choice_add_missing[] = {
	{"on", EDIT_AUTO},
	{"off", EDIT_OFF},
	{NULL, 0},
};

const struct setting_choice choice_reversed[] = {
	{"on", false},
	{"off", true},
	{NULL, 0},
};

const struct setting_choice choice_returns[] = {
	{"off", RETURN_UNSET},
	{"full", RETURN_FULL},
	{"headers", RETURN_HEADERS},
	{"hdrs", RETURN_HEADERS},
	{NULL, 0},
};

const struct setting_choice choice_dane_wants[] = {
	{"off", DANE_OFF},
	{"on", DANE_ON},
	{"only", DANE_ONLY},
	{NULL, 0},
};

const struct setting_choice choice_queueings[] = {
	{"off", QUEUEING_OFF},
	{"on", QUEUEING_ON},
	{"only", QUEUEING_ONLY},
	{NULL, 0},
};
