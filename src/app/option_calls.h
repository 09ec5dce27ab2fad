/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_OPTION_CALLS_H
#define APP_OPTION_CALLS_H

#include "app/options.h"

/*
 * The functions of rows in app/option_rows.c. Each returns 0, or -1 with
 * CAUSE_USAGE naming the option.
 */
int option_call_config(struct option_context *c, char *value);
int option_call_body(struct option_context *c, char *value);
int option_call_notify(struct option_context *c, char *value);
int option_call_return(struct option_context *c, char *value);
int option_call_no_aliases(struct option_context *c, char *value);
int option_call_debug(struct option_context *c, char *value);
int option_call_report(struct option_context *c, char *value);
int option_call_daemon(struct option_context *c, char *value);
int option_call_delivery(struct option_context *c, char *value);
int option_call_queue(struct option_context *c, char *value);
int option_call_queue_run(struct option_context *c, char *value);
int option_call_queue_foreground(struct option_context *c, char *value);
int option_call_select(struct option_context *c, char *value);
int option_call_entries(struct option_context *c, char *value);
int option_call_traffic_log(struct option_context *c, char *value);
int option_call_long_option(struct option_context *c, char *value);

#endif
