#ifndef MASTER_CLIBCURL_CONNECTIONS_H
#define MASTER_CLIBCURL_CONNECTIONS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* 1 if a connected socket is open and has no data to read. */
static inline int master_socket_is_quiet(int descriptor) {
    char byte;
    ssize_t count;
    do count = recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Identifies a connection: no two have the same local port and remote address. */
typedef struct {
    int port;
    unsigned long long address[2];
} master_ends;

/* The ends of a connected socket; the port is 0 if it is not connected. */
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

/* The ends as reported by libcurl, with the address as text. */
static inline master_ends master_reported_ends(int port, const char *address) {
    master_ends ends = { .port = port };
    struct in_addr short_address;
    if (address && inet_pton(AF_INET, address, &short_address) == 1)
        ends.address[0] = short_address.s_addr;
    else if (address)
        inet_pton(AF_INET6, address, ends.address);
    return ends;
}

#endif
