#include "CCurlShims.h"
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// One X509_STORE, counted by reference and locked by OpenSSL itself, for all connections of a client. To parse the 140
// authorities of a usual system takes 20 ms of processor time, so only their names are read; a certificate is parsed when a
// chain asks for its name.

typedef struct {
    unsigned char *der;
    long size;
    unsigned long subject_hash;
    bool is_in_store;
} anchor;

struct curlshim_anchors {
    X509_STORE *store;
    X509_LOOKUP_METHOD *method;
    pthread_mutex_t lock;
    anchor *list;
    size_t count, capacity;
};

/// Steps over one DER element, or into it.
static bool step(const unsigned char **at, const unsigned char *end, bool inside) {
    long length = 0;
    int tag = 0, class = 0;
    const unsigned char *start = *at;
    if (end <= start || ASN1_get_object(at, &length, &tag, &class, end - start) & 0x80) return false;
    if (length < 0 || length > end - *at) return false;
    if (!inside) *at += length;
    return true;
}

/// The hash of a certificate's subject, as chains look for it; false where this is no certificate (RFC 5280 §4.1).
static bool read_subject(const unsigned char *der, long size, unsigned long *hash) {
    const unsigned char *at = der, *end = der + size;
    if (!step(&at, end, true) || !step(&at, end, true)) return false;
    if (at < end && *at == (V_ASN1_CONTEXT_SPECIFIC | V_ASN1_CONSTRUCTED) && !step(&at, end, false)) return false;  // version
    for (int field = 0; field < 4; field++)  // serial number, signature, issuer, validity
        if (!step(&at, end, false)) return false;
    X509_NAME *subject = d2i_X509_NAME(NULL, &at, end - at);
    if (!subject) return false;
    *hash = X509_NAME_hash(subject);
    X509_NAME_free(subject);
    return true;
}

/// Puts all certificates of that name into the store, and one of them into `found`.
static int find_by_subject(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *found) {
    curlshim_anchors *anchors = X509_LOOKUP_get_method_data(lookup);
    if (type != X509_LU_X509) return 0;
    unsigned long hash = X509_NAME_hash((X509_NAME *)name);
    int result = 0;
    ERR_set_mark();  // an error left behind would be taken for the handshake's
    pthread_mutex_lock(&anchors->lock);
    for (size_t index = 0; index < anchors->count; index++) {
        anchor *each = &anchors->list[index];
        if (each->subject_hash != hash) continue;
        const unsigned char *start = each->der;
        X509 *certificate = d2i_X509(NULL, &start, each->size);
        if (!certificate) continue;
        if (!each->is_in_store) each->is_in_store = X509_STORE_add_cert(anchors->store, certificate);
        if (!result && X509_NAME_cmp(X509_get_subject_name(certificate), name) == 0)
            result = X509_OBJECT_set1_X509(found, certificate);
        // OpenSSL takes another reference to what is found without giving this one back.
        X509_free(certificate);
    }
    pthread_mutex_unlock(&anchors->lock);
    ERR_pop_to_mark();
    return result;
}

curlshim_anchors *curlshim_anchors_new(void) {
    curlshim_anchors *anchors = calloc(1, sizeof *anchors);
    if (!anchors) return NULL;
    pthread_mutex_init(&anchors->lock, NULL);
    anchors->store = X509_STORE_new();
    anchors->method = X509_LOOKUP_meth_new("anchors by name");
    X509_LOOKUP *lookup = NULL;
    if (anchors->store && anchors->method && X509_LOOKUP_meth_set_get_by_subject(anchors->method, find_by_subject))
        lookup = X509_STORE_add_lookup(anchors->store, anchors->method);
    if (!lookup || !X509_LOOKUP_set_method_data(lookup, anchors)) {
        curlshim_anchors_free(anchors);
        return NULL;
    }
    // A certificate given as trusted need not be a root: libcurl's own default, and Go's.
    X509_STORE_set_flags(anchors->store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    return anchors;
}

/// Takes over the bytes if they are new.
static bool keep(curlshim_anchors *anchors, unsigned char *der, long size, unsigned long hash) {
    for (size_t index = 0; index < anchors->count; index++) {
        anchor *each = &anchors->list[index];
        if (each->subject_hash == hash && each->size == size && memcmp(each->der, der, size) == 0) return false;
    }
    if (anchors->count == anchors->capacity) {
        size_t capacity = anchors->capacity ? anchors->capacity * 2 : 16;
        anchor *grown = realloc(anchors->list, capacity * sizeof *grown);
        if (!grown) return false;
        anchors->list = grown;
        anchors->capacity = capacity;
    }
    anchors->list[anchors->count++] = (anchor){.der = der, .size = size, .subject_hash = hash};
    return true;
}

size_t curlshim_anchors_add(curlshim_anchors *anchors, const void *pem, size_t length) {
    if (length > INT_MAX) return 0;
    BIO *input = BIO_new_mem_buf(pem, (int)length);
    if (!input) return 0;
    size_t seen = 0;
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size = 0;
    while (true) {
        if (!PEM_read_bio(input, &name, &header, &der, &size)) {
            if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) break;
            continue;  // one block is broken; there may be more
        }
        unsigned long hash = 0;
        bool is_certificate = strcmp(name, PEM_STRING_X509) == 0 && read_subject(der, size, &hash);
        seen += is_certificate;
        if (!is_certificate || !keep(anchors, der, size, hash)) OPENSSL_free(der);
        OPENSSL_free(name);
        OPENSSL_free(header);
    }
    BIO_free(input);
    ERR_clear_error();
    return seen;
}

void curlshim_anchors_free(curlshim_anchors *anchors) {
    X509_STORE_free(anchors->store);
    X509_LOOKUP_meth_free(anchors->method);
    for (size_t index = 0; index < anchors->count; index++) OPENSSL_free(anchors->list[index].der);
    free(anchors->list);
    pthread_mutex_destroy(&anchors->lock);
    free(anchors);
}

static CURLcode begin_handshake(CURL *easy, void *context, void *pointer) {
    (void)easy;
    curlshim_tls *tls = pointer;
    tls->handshake_begun = true;
    if (tls->anchors) SSL_CTX_set1_cert_store(context, tls->anchors->store);
    return CURLE_OK;
}

CURLcode curlshim_set_tls(CURL *easy, curlshim_tls *tls) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, begin_handshake);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls);
}
