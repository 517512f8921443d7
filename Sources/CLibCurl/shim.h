#ifndef MASTER_CLIBCURL_SHIM_H
#define MASTER_CLIBCURL_SHIM_H

#include "names.h"
#include <curl/curl.h>
#include "connections.h"
#include "decoding.h"

/* Must be called before any other libcurl function; see loader.c. */
const char *master_curl_load(void);

/* Swift cannot call variadic functions such as curl_easy_setopt: one wrapper per argument type. */

typedef size_t (*master_curl_data_callback)(char *, size_t, size_t, void *);
typedef int (*master_curl_seek_callback)(void *, curl_off_t, int);
typedef int (*master_curl_debug_callback)(CURL *, curl_infotype, char *, size_t, void *);
typedef int (*master_curl_progress_callback)(
    void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
typedef int (*master_curl_close_callback)(void *, curl_socket_t);
typedef curl_socket_t (*master_curl_opensocket_callback)(
    void *, curlsocktype, struct curl_sockaddr *);

static inline CURLcode master_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_list(CURL *handle,
    CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_data_callback(CURL *handle,
    CURLoption option, master_curl_data_callback value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode master_curl_set_seek_callback(CURL *handle,
    master_curl_seek_callback value) {
    return curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, value);
}

static inline CURLcode master_curl_set_debug_callback(CURL *handle,
    master_curl_debug_callback value) {
    return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, value);
}

static inline CURLcode master_curl_set_progress_callback(CURL *handle,
    master_curl_progress_callback value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode master_curl_set_prereq_callback(CURL *handle,
    curl_prereq_callback value) {
    return curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, value);
}

static inline CURLcode master_curl_set_opensocket_callback(CURL *handle,
    master_curl_opensocket_callback value) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode master_curl_set_closesocket_callback(CURL *handle,
    master_curl_close_callback value) {
    return curl_easy_setopt(handle, CURLOPT_CLOSESOCKETFUNCTION, value);
}

static inline CURLcode master_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode master_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode master_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode master_curl_get_list(CURL *handle,
    CURLINFO info, struct curl_slist **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode master_curl_multi_set_long(CURLM *handle, CURLMoption option, long value) {
    return curl_multi_setopt(handle, option, value);
}

static inline CURLSHcode master_curl_share_set_long(CURLSH *handle,
    CURLSHoption option, long value) {
    return curl_share_setopt(handle, option, value);
}

/* The result of a finished message; the union member is awkward to reach from Swift. */
static inline CURLcode master_curl_message_result(const CURLMsg *message) {
    return message->data.result;
}

#endif
