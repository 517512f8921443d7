#ifndef MASTER_CLIBCURL_READINESS_H
#define MASTER_CLIBCURL_READINESS_H

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* epoll and eventfd in libcurl's terms: CURL_POLL_… to wait for, CURL_CSELECT_… that came. */

typedef struct {
    int descriptor;
    int events;
} master_ready;

static inline int master_epoll_create(void) {
    return epoll_create1(EPOLL_CLOEXEC);
}

static inline int master_event_create(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static inline void master_event_set(int event) {
    eventfd_write(event, 1);
}

static inline void master_event_clear(int event) {
    eventfd_t value;
    eventfd_read(event, &value);
}

/* Watches a descriptor anew (known = 0) or for something else (known = 1); the kernel knows best
   whether it is new. */
static inline int master_epoll_watch(int epoll, int descriptor, int what, int known) {
    struct epoll_event event = { .events = 0, .data.fd = descriptor };
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    int result = epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event);
    if (result == 0) return 0;
    if (known && errno == ENOENT) return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
    if (!known && errno == EEXIST) return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
    return result;
}

static inline int master_epoll_forget(int epoll, int descriptor) {
    struct epoll_event event = { 0 };
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
}

/* Waits for at most 64 descriptors; returns how many are ready, 0 also when a signal came. */
static inline int master_epoll_wait(int epoll, master_ready *ready, int count, int milliseconds) {
    struct epoll_event events[64];
    int found = epoll_wait(epoll, events, count < 64 ? count : 64, milliseconds);
    for (int index = 0; index < found; index++) {
        int came = 0;
        if (events[index].events & EPOLLIN) came |= CURL_CSELECT_IN;
        if (events[index].events & EPOLLOUT) came |= CURL_CSELECT_OUT;
        if (events[index].events & (EPOLLERR | EPOLLHUP)) came |= CURL_CSELECT_ERR;
        ready[index].descriptor = events[index].data.fd;
        ready[index].events = came;
    }
    return found < 0 ? 0 : found;
}

/* 1 when a connected socket is open and nothing waits to be read from it. */
static inline int master_socket_is_quiet(int descriptor) {
    char byte;
    ssize_t count;
    do count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Which connection it is: no two share the port on this side and the address on the other. */
typedef struct {
    int port;
    unsigned long long address[2];
} master_ends;

/* The ends of a connected socket; port 0 when it is not connected. */
static inline master_ends master_socket_ends(int descriptor) {
    master_ends ends = { 0 };
    struct sockaddr_storage here = { 0 }, there = { 0 };
    socklen_t here_size = sizeof here, there_size = sizeof there;
    if (getsockname(descriptor, (struct sockaddr *)&here, &here_size) != 0) return ends;
    if (getpeername(descriptor, (struct sockaddr *)&there, &there_size) != 0) return ends;
    if (there.ss_family == AF_INET6) {
        ends.port = ntohs(((struct sockaddr_in6 *)&here)->sin6_port);
        memcpy(ends.address, &((struct sockaddr_in6 *)&there)->sin6_addr, sizeof ends.address);
    } else if (there.ss_family == AF_INET) {
        ends.port = ntohs(((struct sockaddr_in *)&here)->sin_port);
        ends.address[0] = ((struct sockaddr_in *)&there)->sin_addr.s_addr;
    }
    return ends;
}

/* The ends as libcurl tells them: the address is a text. */
static inline master_ends master_told_ends(int port, const char *address) {
    master_ends ends = { .port = port };
    struct in_addr short_address;
    if (address && inet_pton(AF_INET, address, &short_address) == 1)
        ends.address[0] = short_address.s_addr;
    else if (address)
        inet_pton(AF_INET6, address, ends.address);
    return ends;
}

#endif
