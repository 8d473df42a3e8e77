#include "CCurlShims.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

// One X509_STORE, counted by reference and locked by OpenSSL itself: libcurl would parse all authorities (140 on a usual
// system) anew for every connection.

curlshim_anchors *curlshim_anchors_new(void) {
    X509_STORE *store = X509_STORE_new();
    // A certificate given as trusted need not be a root: libcurl's own default, and Go's.
    if (store) X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    return (curlshim_anchors *)store;
}

size_t curlshim_anchors_add(curlshim_anchors *anchors, const void *pem, size_t length) {
    if (length > INT_MAX) return 0;
    BIO *input = BIO_new_mem_buf(pem, (int)length);
    if (!input) return 0;
    size_t added = 0;
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size = 0;
    while (PEM_read_bio(input, &name, &header, &der, &size)) {
        const unsigned char *start = der;
        X509 *certificate = d2i_X509(NULL, &start, size);
        if (certificate && X509_STORE_add_cert((X509_STORE *)anchors, certificate)) added++;
        X509_free(certificate);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(input);
    ERR_clear_error();
    return added;
}

void curlshim_anchors_free(curlshim_anchors *anchors) { X509_STORE_free((X509_STORE *)anchors); }

static CURLcode begin_handshake(CURL *easy, void *context, void *pointer) {
    (void)easy;
    curlshim_tls *tls = pointer;
    tls->handshake_begun = true;
    if (tls->anchors) SSL_CTX_set1_cert_store(context, (X509_STORE *)tls->anchors);
    return CURLE_OK;
}

CURLcode curlshim_set_tls(CURL *easy, curlshim_tls *tls) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, begin_handshake);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls);
}
