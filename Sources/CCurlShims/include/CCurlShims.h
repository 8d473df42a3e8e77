#pragma once
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#pragma clang assume_nonnull begin

// libcurl's options and answers are variadic, which Swift cannot call: one typed function for each kind of argument.

CURLcode curlshim_set_long(CURL *easy, CURLoption option, long value);
CURLcode curlshim_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode curlshim_set_string(CURL *easy, CURLoption option, const char *_Nullable value);
CURLcode curlshim_set_pointer(CURL *easy, CURLoption option, const void *_Nullable value);
/// The library keeps a copy of its own.
CURLcode curlshim_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t length);

CURLcode curlshim_get_long(CURL *easy, CURLINFO info, long *value);
CURLcode curlshim_get_offset(CURL *easy, CURLINFO info, curl_off_t *value);
/// The text belongs to the handle.
const char *_Nullable curlshim_get_string(CURL *easy, CURLINFO info);

/// Bytes in, or out, of one transfer; what to return is libcurl's rule for CURLOPT_WRITEFUNCTION and its kin.
typedef size_t (*curlshim_bytes_callback)(char *bytes, size_t size, size_t count, void *context);
typedef int (*curlshim_seek_callback)(void *context, curl_off_t offset, int origin);

CURLcode curlshim_set_header_callback(CURL *easy, curlshim_bytes_callback callback, void *context);
CURLcode curlshim_set_write_callback(CURL *easy, curlshim_bytes_callback callback, void *context);
CURLcode curlshim_set_read_callback(CURL *easy, curlshim_bytes_callback callback, void *context);
CURLcode curlshim_set_seek_callback(CURL *easy, curlshim_seek_callback callback, void *context);
/// Sockets are opened close-on-exec, so that no child process inherits one.
CURLcode curlshim_set_private_sockets(CURL *easy);

/// As `curl_multi_init`, but the pair of descriptors by which the handle is woken is close-on-exec.
CURLM *_Nullable curlshim_multi_new(void);
CURLMcode curlshim_multi_set_long(CURLM *multi, CURLMoption option, long value);
/// The result of the one transfer of a multi handle that has ended; false while none has.
bool curlshim_multi_result(CURLM *multi, CURLcode *result);

/// What the handles of one client share under locks: resolved names and TLS sessions. Connections cannot be shared between threads.
typedef struct curlshim_share curlshim_share;
curlshim_share *_Nullable curlshim_share_new(void);
CURLcode curlshim_set_share(CURL *easy, curlshim_share *share);
/// Only once no handle uses it any more.
void curlshim_share_free(curlshim_share *share);

/// Trusted certificates, parsed once and used by all connections of a client.
typedef struct curlshim_anchors curlshim_anchors;
curlshim_anchors *_Nullable curlshim_anchors_new(void);
/// Adds the certificates among these PEM blocks and returns how many there were; blocks that do not parse are left out.
size_t curlshim_anchors_add(curlshim_anchors *anchors, const void *pem, size_t length);
void curlshim_anchors_free(curlshim_anchors *anchors);
/// What TLS connections of one transfer use and tell.
typedef struct curlshim_tls {
    /// Servers are verified against these only; NULL leaves libcurl's own.
    curlshim_anchors *_Nullable anchors;
    /// Set once a handshake begins: libcurl's own times tell of nothing until the connection is complete.
    bool handshake_begun;
} curlshim_tls;
/// `tls` and its anchors must outlive the transfer.
CURLcode curlshim_set_tls(CURL *easy, curlshim_tls *tls);

#pragma clang assume_nonnull end
