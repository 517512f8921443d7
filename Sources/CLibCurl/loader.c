/* Loads libcurl on first use instead of at program start.

   libcurl depends on some thirty libraries. Loading and binding them takes longer than everything
   else the program does to print its version or to check a file, neither of which sends anything.
   The program is therefore not linked with libcurl: names.h renames each libcurl function to one of
   those below, which forward the call.
   Call master_curl_load before the first call. */

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt
#undef curl_share_setopt

#define FUNCTIONS(F) \
    F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_init) F(curl_easy_pause) \
    F(curl_easy_setopt) F(curl_easy_strerror) F(curl_free) F(curl_global_init) \
    F(curl_multi_add_handle) F(curl_multi_cleanup) F(curl_multi_info_read) F(curl_multi_init) \
    F(curl_multi_perform) F(curl_multi_poll) F(curl_multi_remove_handle) F(curl_multi_setopt) \
    F(curl_multi_socket_action) F(curl_multi_timeout) F(curl_multi_wakeup) \
    F(curl_share_cleanup) F(curl_share_init) F(curl_share_setopt) F(curl_slist_append) \
    F(curl_slist_free_all) F(curl_url) F(curl_url_cleanup) F(curl_url_get) F(curl_url_set) \
    F(curl_url_strerror)

#define MEMBER(name) __typeof__(&name) name;
static struct { FUNCTIONS(MEMBER) } libcurl;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int is_loaded;

static const char *load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    if (!library) return dlerror();
#define FIND(name) if (!(libcurl.name = dlsym(library, #name))) return dlerror();
    FUNCTIONS(FIND)
    is_loaded = 1;
    return NULL;
}

/* Loads libcurl unless that was done. The result is NULL, or why it cannot be loaded, which is
   valid on this thread until its next call of a function of dlfcn.h. */
const char *master_curl_load(void) {
    pthread_mutex_lock(&mutex);
    const char *fault = is_loaded ? NULL : load();
    pthread_mutex_unlock(&mutex);
    return fault;
}

#define CALL(name, ...) libcurl.name(__VA_ARGS__)

void master_curl_easy_cleanup(CURL *handle) {
    CALL(curl_easy_cleanup, handle);
}

CURL *master_curl_easy_init(void) {
    return CALL(curl_easy_init);
}

CURLcode master_curl_easy_pause(CURL *handle, int bitmask) {
    return CALL(curl_easy_pause, handle, bitmask);
}

const char *master_curl_easy_strerror(CURLcode code) {
    return CALL(curl_easy_strerror, code);
}

void master_curl_free(void *memory) {
    CALL(curl_free, memory);
}

CURLcode master_curl_global_init(long flags) {
    return CALL(curl_global_init, flags);
}

CURLMcode master_curl_multi_add_handle(CURLM *multi, CURL *handle) {
    return CALL(curl_multi_add_handle, multi, handle);
}

CURLMcode master_curl_multi_cleanup(CURLM *multi) {
    return CALL(curl_multi_cleanup, multi);
}

CURLMsg *master_curl_multi_info_read(CURLM *multi, int *left) {
    return CALL(curl_multi_info_read, multi, left);
}

CURLM *master_curl_multi_init(void) {
    return CALL(curl_multi_init);
}

CURLMcode master_curl_multi_perform(CURLM *multi, int *running) {
    return CALL(curl_multi_perform, multi, running);
}

CURLMcode master_curl_multi_poll(
    CURLM *multi, struct curl_waitfd *more, unsigned int count, int milliseconds, int *ready
) {
    return CALL(curl_multi_poll, multi, more, count, milliseconds, ready);
}

CURLMcode master_curl_multi_remove_handle(CURLM *multi, CURL *handle) {
    return CALL(curl_multi_remove_handle, multi, handle);
}

CURLMcode master_curl_multi_socket_action(
    CURLM *multi, curl_socket_t socket, int events, int *running
) {
    return CALL(curl_multi_socket_action, multi, socket, events, running);
}

CURLMcode master_curl_multi_timeout(CURLM *multi, long *milliseconds) {
    return CALL(curl_multi_timeout, multi, milliseconds);
}

CURLMcode master_curl_multi_wakeup(CURLM *multi) {
    return CALL(curl_multi_wakeup, multi);
}

CURLSHcode master_curl_share_cleanup(CURLSH *share) {
    return CALL(curl_share_cleanup, share);
}

CURLSH *master_curl_share_init(void) {
    return CALL(curl_share_init);
}

struct curl_slist *master_curl_slist_append(struct curl_slist *list, const char *text) {
    return CALL(curl_slist_append, list, text);
}

void master_curl_slist_free_all(struct curl_slist *list) {
    CALL(curl_slist_free_all, list);
}

CURLU *master_curl_url(void) {
    return CALL(curl_url);
}

void master_curl_url_cleanup(CURLU *url) {
    CALL(curl_url_cleanup, url);
}

CURLUcode master_curl_url_get(CURLU *url, CURLUPart part, char **text, unsigned int flags) {
    return CALL(curl_url_get, url, part, text, flags);
}

CURLUcode master_curl_url_set(CURLU *url, CURLUPart part, const char *text, unsigned int flags) {
    return CALL(curl_url_set, url, part, text, flags);
}

const char *master_curl_url_strerror(CURLUcode code) {
    return CALL(curl_url_strerror, code);
}

/* The variadic argument is a long, an offset or a pointer: one word, forwarded as is. */
_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *), "one word");

#define VARIADIC(result, name, handle_type, option_type) \
    result master_##name(handle_type handle, option_type option, ...) { \
        va_list arguments; \
        va_start(arguments, option); \
        void *word = va_arg(arguments, void *); \
        va_end(arguments); \
        return CALL(name, handle, option, word); \
    }

VARIADIC(CURLcode, curl_easy_setopt, CURL *, CURLoption)
VARIADIC(CURLcode, curl_easy_getinfo, CURL *, CURLINFO)
VARIADIC(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption)
VARIADIC(CURLSHcode, curl_share_setopt, CURLSH *, CURLSHoption)
