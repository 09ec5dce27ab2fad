/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POSTRIDER_BASE_GNUTLS_H
#define POSTRIDER_BASE_GNUTLS_H

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <gnutls/pkcs11.h>
#include <gnutls/x509.h>
#include <stdbool.h>

/*
 * GnuTLS, loaded when the first of its functions is called: loading it and all
 * that it needs takes longer than queueing a message. Who includes this in
 * place of <gnutls/…> calls the functions by their own names.
 *
 * One that was not used before gets a row in each of the two lists; without one
 * the program does not link, or the file does not compile.
 */

struct outcome;

/* clang-format off */
#define GNUTLS_CALLS(X) \
	X(gnutls_alert_get) \
	X(gnutls_alert_get_name) \
	X(gnutls_alert_send_appropriate) \
	X(gnutls_base64_decode2) \
	X(gnutls_base64_encode2) \
	X(gnutls_bye) \
	X(gnutls_certificate_allocate_credentials) \
	X(gnutls_certificate_free_credentials) \
	X(gnutls_certificate_get_peers) \
	X(gnutls_certificate_get_trust_list) \
	X(gnutls_certificate_set_pin_function) \
	X(gnutls_certificate_set_trust_list) \
	X(gnutls_certificate_set_x509_key_file2) \
	X(gnutls_certificate_set_x509_system_trust) \
	X(gnutls_certificate_set_x509_trust_dir) \
	X(gnutls_certificate_set_x509_trust_file) \
	X(gnutls_certificate_set_x509_trust_mem) \
	X(gnutls_certificate_verification_status_print) \
	X(gnutls_certificate_verify_peers) \
	X(gnutls_check_version) \
	X(gnutls_credentials_set) \
	X(gnutls_deinit) \
	X(gnutls_dh_set_prime_bits) \
	X(gnutls_error_is_fatal) \
	X(gnutls_fingerprint) \
	X(gnutls_free) \
	X(gnutls_get_system_config_file) \
	X(gnutls_handshake) \
	X(gnutls_hash) \
	X(gnutls_hash_deinit) \
	X(gnutls_hash_fast) \
	X(gnutls_hash_get_len) \
	X(gnutls_hash_init) \
	X(gnutls_hmac_fast) \
	X(gnutls_init) \
	X(gnutls_load_file) \
	X(gnutls_memcmp) \
	X(gnutls_ocsp_resp_deinit) \
	X(gnutls_ocsp_resp_get_single) \
	X(gnutls_ocsp_resp_import) \
	X(gnutls_ocsp_resp_init) \
	X(gnutls_ocsp_status_request_get2) \
	X(gnutls_pbkdf2) \
	X(gnutls_pk_bits_to_sec_param) \
	X(gnutls_pk_get_name) \
	X(gnutls_prf_rfc5705) \
	X(gnutls_priority_set_direct) \
	X(gnutls_protocol_get_name) \
	X(gnutls_protocol_get_version) \
	X(gnutls_pubkey_deinit) \
	X(gnutls_pubkey_export2) \
	X(gnutls_pubkey_get_pk_algorithm) \
	X(gnutls_pubkey_import) \
	X(gnutls_pubkey_import_x509) \
	X(gnutls_pubkey_init) \
	X(gnutls_pubkey_verify_data2) \
	X(gnutls_record_recv) \
	X(gnutls_record_send) \
	X(gnutls_rnd) \
	X(gnutls_server_name_set) \
	X(gnutls_session_channel_binding) \
	X(gnutls_session_ext_master_secret_status) \
	X(gnutls_session_get_data2) \
	X(gnutls_session_get_desc) \
	X(gnutls_session_get_flags) \
	X(gnutls_session_get_ptr) \
	X(gnutls_session_is_resumed) \
	X(gnutls_session_set_data) \
	X(gnutls_session_set_ptr) \
	X(gnutls_session_set_verify_function) \
	X(gnutls_sign_get_name) \
	X(gnutls_sign_is_secure2) \
	X(gnutls_strerror) \
	X(gnutls_transport_set_ptr) \
	X(gnutls_transport_set_pull_function) \
	X(gnutls_transport_set_pull_timeout_function) \
	X(gnutls_transport_set_vec_push_function) \
	X(gnutls_x509_crl_check_issuer) \
	X(gnutls_x509_crl_deinit) \
	X(gnutls_x509_crl_get_authority_key_id) \
	X(gnutls_x509_crl_get_issuer_dn3) \
	X(gnutls_x509_crl_get_next_update) \
	X(gnutls_x509_crl_get_raw_issuer_dn) \
	X(gnutls_x509_crl_get_this_update) \
	X(gnutls_x509_crl_iter_crt_serial) \
	X(gnutls_x509_crl_iter_deinit) \
	X(gnutls_x509_crl_list_import2) \
	X(gnutls_x509_crl_verify) \
	X(gnutls_x509_crt_check_issuer) \
	X(gnutls_x509_crt_check_key_purpose) \
	X(gnutls_x509_crt_check_revocation) \
	X(gnutls_x509_crt_deinit) \
	X(gnutls_x509_crt_equals) \
	X(gnutls_x509_crt_export2) \
	X(gnutls_x509_crt_get_activation_time) \
	X(gnutls_x509_crt_get_basic_constraints) \
	X(gnutls_x509_crt_get_dn3) \
	X(gnutls_x509_crt_get_expiration_time) \
	X(gnutls_x509_crt_get_issuer_dn3) \
	X(gnutls_x509_crt_get_name_constraints) \
	X(gnutls_x509_crt_get_pk_algorithm) \
	X(gnutls_x509_crt_get_raw_issuer_dn) \
	X(gnutls_x509_crt_get_serial) \
	X(gnutls_x509_crt_get_signature) \
	X(gnutls_x509_crt_get_signature_algorithm) \
	X(gnutls_x509_crt_get_subject_alt_name) \
	X(gnutls_x509_crt_get_subject_key_id) \
	X(gnutls_x509_crt_import) \
	X(gnutls_x509_crt_import_url) \
	X(gnutls_x509_crt_init) \
	X(gnutls_x509_name_constraints_check) \
	X(gnutls_x509_name_constraints_deinit) \
	X(gnutls_x509_name_constraints_init) \
	X(gnutls_x509_trust_list_add_cas) \
	X(gnutls_x509_trust_list_deinit) \
	X(gnutls_x509_trust_list_get_issuer) \
	X(gnutls_x509_trust_list_init) \
	X(gnutls_x509_trust_list_iter_deinit) \
	X(gnutls_x509_trust_list_iter_get_ca) \
	X(gnutls_x509_trust_list_verify_crt2)

struct gnutls_calls {
#define POSTRIDER_CALL(name) __typeof__(&name) name;
	GNUTLS_CALLS(POSTRIDER_CALL)
#undef POSTRIDER_CALL
};

/*
 * Loads it, if it is not: 0, or -1 with a temporary failure (CAUSE_SYSTEM,
 * 4.3.1). For who has something to lose: the calls themselves end the program
 * if it can't be loaded (library_need).
 */
int library_load_gnutls(struct outcome *o);

/* The same, for who can do without. */
bool library_has_gnutls(void);

const struct gnutls_calls *library_gnutls(void);

#define gnutls_alert_get (*library_gnutls()->gnutls_alert_get)
#define gnutls_alert_get_name (*library_gnutls()->gnutls_alert_get_name)
#define gnutls_alert_send_appropriate \
	(*library_gnutls()->gnutls_alert_send_appropriate)
#define gnutls_base64_decode2 (*library_gnutls()->gnutls_base64_decode2)
#define gnutls_base64_encode2 (*library_gnutls()->gnutls_base64_encode2)
#define gnutls_bye (*library_gnutls()->gnutls_bye)
#define gnutls_certificate_allocate_credentials \
	(*library_gnutls()->gnutls_certificate_allocate_credentials)
#define gnutls_certificate_free_credentials \
	(*library_gnutls()->gnutls_certificate_free_credentials)
#define gnutls_certificate_get_peers \
	(*library_gnutls()->gnutls_certificate_get_peers)
#define gnutls_certificate_get_trust_list \
	(*library_gnutls()->gnutls_certificate_get_trust_list)
#define gnutls_certificate_set_pin_function \
	(*library_gnutls()->gnutls_certificate_set_pin_function)
#define gnutls_certificate_set_trust_list \
	(*library_gnutls()->gnutls_certificate_set_trust_list)
#define gnutls_certificate_set_x509_key_file2 \
	(*library_gnutls()->gnutls_certificate_set_x509_key_file2)
#define gnutls_certificate_set_x509_system_trust \
	(*library_gnutls()->gnutls_certificate_set_x509_system_trust)
#define gnutls_certificate_set_x509_trust_dir \
	(*library_gnutls()->gnutls_certificate_set_x509_trust_dir)
#define gnutls_certificate_set_x509_trust_file \
	(*library_gnutls()->gnutls_certificate_set_x509_trust_file)
#define gnutls_certificate_set_x509_trust_mem \
	(*library_gnutls()->gnutls_certificate_set_x509_trust_mem)
#define gnutls_certificate_verification_status_print \
	(*library_gnutls()->gnutls_certificate_verification_status_print)
#define gnutls_certificate_verify_peers \
	(*library_gnutls()->gnutls_certificate_verify_peers)
#define gnutls_check_version (*library_gnutls()->gnutls_check_version)
#define gnutls_credentials_set (*library_gnutls()->gnutls_credentials_set)
#define gnutls_deinit (*library_gnutls()->gnutls_deinit)
#define gnutls_dh_set_prime_bits (*library_gnutls()->gnutls_dh_set_prime_bits)
#define gnutls_error_is_fatal (*library_gnutls()->gnutls_error_is_fatal)
#define gnutls_fingerprint (*library_gnutls()->gnutls_fingerprint)
#define gnutls_free (*library_gnutls()->gnutls_free)
#define gnutls_get_system_config_file \
	(*library_gnutls()->gnutls_get_system_config_file)
#define gnutls_handshake (*library_gnutls()->gnutls_handshake)
#define gnutls_hash (*library_gnutls()->gnutls_hash)
#define gnutls_hash_deinit (*library_gnutls()->gnutls_hash_deinit)
#define gnutls_hash_fast (*library_gnutls()->gnutls_hash_fast)
#define gnutls_hash_get_len (*library_gnutls()->gnutls_hash_get_len)
#define gnutls_hash_init (*library_gnutls()->gnutls_hash_init)
#define gnutls_hmac_fast (*library_gnutls()->gnutls_hmac_fast)
#define gnutls_init (*library_gnutls()->gnutls_init)
#define gnutls_load_file (*library_gnutls()->gnutls_load_file)
#define gnutls_memcmp (*library_gnutls()->gnutls_memcmp)
#define gnutls_ocsp_resp_deinit (*library_gnutls()->gnutls_ocsp_resp_deinit)
#define gnutls_ocsp_resp_get_single \
	(*library_gnutls()->gnutls_ocsp_resp_get_single)
#define gnutls_ocsp_resp_import (*library_gnutls()->gnutls_ocsp_resp_import)
#define gnutls_ocsp_resp_init (*library_gnutls()->gnutls_ocsp_resp_init)
#define gnutls_ocsp_status_request_get2 \
	(*library_gnutls()->gnutls_ocsp_status_request_get2)
#define gnutls_pbkdf2 (*library_gnutls()->gnutls_pbkdf2)
#define gnutls_pk_bits_to_sec_param \
	(*library_gnutls()->gnutls_pk_bits_to_sec_param)
#define gnutls_pk_get_name (*library_gnutls()->gnutls_pk_get_name)
#define gnutls_prf_rfc5705 (*library_gnutls()->gnutls_prf_rfc5705)
#define gnutls_priority_set_direct \
	(*library_gnutls()->gnutls_priority_set_direct)
#define gnutls_protocol_get_name (*library_gnutls()->gnutls_protocol_get_name)
#define gnutls_protocol_get_version \
	(*library_gnutls()->gnutls_protocol_get_version)
#define gnutls_pubkey_deinit (*library_gnutls()->gnutls_pubkey_deinit)
#define gnutls_pubkey_export2 (*library_gnutls()->gnutls_pubkey_export2)
#define gnutls_pubkey_get_pk_algorithm \
	(*library_gnutls()->gnutls_pubkey_get_pk_algorithm)
#define gnutls_pubkey_import (*library_gnutls()->gnutls_pubkey_import)
#define gnutls_pubkey_import_x509 (*library_gnutls()->gnutls_pubkey_import_x509)
#define gnutls_pubkey_init (*library_gnutls()->gnutls_pubkey_init)
#define gnutls_pubkey_verify_data2 \
	(*library_gnutls()->gnutls_pubkey_verify_data2)
#define gnutls_record_recv (*library_gnutls()->gnutls_record_recv)
#define gnutls_record_send (*library_gnutls()->gnutls_record_send)
#define gnutls_rnd (*library_gnutls()->gnutls_rnd)
#define gnutls_server_name_set (*library_gnutls()->gnutls_server_name_set)
#define gnutls_session_channel_binding \
	(*library_gnutls()->gnutls_session_channel_binding)
#define gnutls_session_ext_master_secret_status \
	(*library_gnutls()->gnutls_session_ext_master_secret_status)
#define gnutls_session_get_data2 (*library_gnutls()->gnutls_session_get_data2)
#define gnutls_session_get_desc (*library_gnutls()->gnutls_session_get_desc)
#define gnutls_session_get_flags (*library_gnutls()->gnutls_session_get_flags)
#define gnutls_session_get_ptr (*library_gnutls()->gnutls_session_get_ptr)
#define gnutls_session_is_resumed (*library_gnutls()->gnutls_session_is_resumed)
#define gnutls_session_set_data (*library_gnutls()->gnutls_session_set_data)
#define gnutls_session_set_ptr (*library_gnutls()->gnutls_session_set_ptr)
#define gnutls_session_set_verify_function \
	(*library_gnutls()->gnutls_session_set_verify_function)
#define gnutls_sign_get_name (*library_gnutls()->gnutls_sign_get_name)
#define gnutls_sign_is_secure2 (*library_gnutls()->gnutls_sign_is_secure2)
#define gnutls_strerror (*library_gnutls()->gnutls_strerror)
#define gnutls_transport_set_ptr (*library_gnutls()->gnutls_transport_set_ptr)
#define gnutls_transport_set_pull_function \
	(*library_gnutls()->gnutls_transport_set_pull_function)
#define gnutls_transport_set_pull_timeout_function \
	(*library_gnutls()->gnutls_transport_set_pull_timeout_function)
#define gnutls_transport_set_vec_push_function \
	(*library_gnutls()->gnutls_transport_set_vec_push_function)
#define gnutls_x509_crl_check_issuer \
	(*library_gnutls()->gnutls_x509_crl_check_issuer)
#define gnutls_x509_crl_deinit (*library_gnutls()->gnutls_x509_crl_deinit)
#define gnutls_x509_crl_get_authority_key_id \
	(*library_gnutls()->gnutls_x509_crl_get_authority_key_id)
#define gnutls_x509_crl_get_issuer_dn3 \
	(*library_gnutls()->gnutls_x509_crl_get_issuer_dn3)
#define gnutls_x509_crl_get_next_update \
	(*library_gnutls()->gnutls_x509_crl_get_next_update)
#define gnutls_x509_crl_get_raw_issuer_dn \
	(*library_gnutls()->gnutls_x509_crl_get_raw_issuer_dn)
#define gnutls_x509_crl_get_this_update \
	(*library_gnutls()->gnutls_x509_crl_get_this_update)
#define gnutls_x509_crl_iter_crt_serial \
	(*library_gnutls()->gnutls_x509_crl_iter_crt_serial)
#define gnutls_x509_crl_iter_deinit \
	(*library_gnutls()->gnutls_x509_crl_iter_deinit)
#define gnutls_x509_crl_list_import2 \
	(*library_gnutls()->gnutls_x509_crl_list_import2)
#define gnutls_x509_crl_verify (*library_gnutls()->gnutls_x509_crl_verify)
#define gnutls_x509_crt_check_issuer \
	(*library_gnutls()->gnutls_x509_crt_check_issuer)
#define gnutls_x509_crt_check_key_purpose \
	(*library_gnutls()->gnutls_x509_crt_check_key_purpose)
#define gnutls_x509_crt_check_revocation \
	(*library_gnutls()->gnutls_x509_crt_check_revocation)
#define gnutls_x509_crt_deinit (*library_gnutls()->gnutls_x509_crt_deinit)
#define gnutls_x509_crt_equals (*library_gnutls()->gnutls_x509_crt_equals)
#define gnutls_x509_crt_export2 (*library_gnutls()->gnutls_x509_crt_export2)
#define gnutls_x509_crt_get_activation_time \
	(*library_gnutls()->gnutls_x509_crt_get_activation_time)
#define gnutls_x509_crt_get_basic_constraints \
	(*library_gnutls()->gnutls_x509_crt_get_basic_constraints)
#define gnutls_x509_crt_get_dn3 (*library_gnutls()->gnutls_x509_crt_get_dn3)
#define gnutls_x509_crt_get_expiration_time \
	(*library_gnutls()->gnutls_x509_crt_get_expiration_time)
#define gnutls_x509_crt_get_issuer_dn3 \
	(*library_gnutls()->gnutls_x509_crt_get_issuer_dn3)
#define gnutls_x509_crt_get_name_constraints \
	(*library_gnutls()->gnutls_x509_crt_get_name_constraints)
#define gnutls_x509_crt_get_pk_algorithm \
	(*library_gnutls()->gnutls_x509_crt_get_pk_algorithm)
#define gnutls_x509_crt_get_raw_issuer_dn \
	(*library_gnutls()->gnutls_x509_crt_get_raw_issuer_dn)
#define gnutls_x509_crt_get_serial \
	(*library_gnutls()->gnutls_x509_crt_get_serial)
#define gnutls_x509_crt_get_signature \
	(*library_gnutls()->gnutls_x509_crt_get_signature)
#define gnutls_x509_crt_get_signature_algorithm \
	(*library_gnutls()->gnutls_x509_crt_get_signature_algorithm)
#define gnutls_x509_crt_get_subject_alt_name \
	(*library_gnutls()->gnutls_x509_crt_get_subject_alt_name)
#define gnutls_x509_crt_get_subject_key_id \
	(*library_gnutls()->gnutls_x509_crt_get_subject_key_id)
#define gnutls_x509_crt_import (*library_gnutls()->gnutls_x509_crt_import)
#define gnutls_x509_crt_import_url \
	(*library_gnutls()->gnutls_x509_crt_import_url)
#define gnutls_x509_crt_init (*library_gnutls()->gnutls_x509_crt_init)
#define gnutls_x509_name_constraints_check \
	(*library_gnutls()->gnutls_x509_name_constraints_check)
#define gnutls_x509_name_constraints_deinit \
	(*library_gnutls()->gnutls_x509_name_constraints_deinit)
#define gnutls_x509_name_constraints_init \
	(*library_gnutls()->gnutls_x509_name_constraints_init)
#define gnutls_x509_trust_list_add_cas \
	(*library_gnutls()->gnutls_x509_trust_list_add_cas)
#define gnutls_x509_trust_list_deinit \
	(*library_gnutls()->gnutls_x509_trust_list_deinit)
#define gnutls_x509_trust_list_get_issuer \
	(*library_gnutls()->gnutls_x509_trust_list_get_issuer)
#define gnutls_x509_trust_list_init \
	(*library_gnutls()->gnutls_x509_trust_list_init)
#define gnutls_x509_trust_list_iter_deinit \
	(*library_gnutls()->gnutls_x509_trust_list_iter_deinit)
#define gnutls_x509_trust_list_iter_get_ca \
	(*library_gnutls()->gnutls_x509_trust_list_iter_get_ca)
#define gnutls_x509_trust_list_verify_crt2 \
	(*library_gnutls()->gnutls_x509_trust_list_verify_crt2)
/* clang-format on */

#endif
