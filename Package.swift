// swift-tools-version: 6.2

import PackageDescription

/// The graph from bottom to top: a target may import only what stands above it here.
///
/// Targets with `packageAccess: false` see of the others what a stranger's package sees: the plugins
/// of this package are written with `MasterKit`'s public API alone.
let package = Package(
    name: "buildmaster",
    products: [
        .executable(name: "buildmaster", targets: ["buildmaster"]),
        .library(name: "MasterKit", targets: ["MasterKit"]),
        .library(name: "MasterCommand", targets: ["MasterCommand"]),
        .library(name: "StandardPlugins", targets: ["StandardPlugins"]),
        .library(name: "MasterTesting", targets: ["MasterTesting"]),
        .library(name: "MasterRuntimeTesting", targets: ["MasterRuntimeTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CLibC"),
        .systemLibrary(name: "CLibYAML", providers: [.apt(["libyaml-dev"])]),
        .target(name: "CLibCurl", publicHeadersPath: "."),
        .target(name: "CProcess", cSettings: [.define("_GNU_SOURCE")]),
        .systemLibrary(name: "CLibPCRE2", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "MasterYAML", dependencies: ["CLibYAML"]),
        .target(
            name: "MasterJSON",
            dependencies: [.product(name: "OrderedCollections", package: "swift-collections")]),
        .target(name: "MasterTemplates", dependencies: ["MasterJSON"]),
        .target(name: "MasterHTTP", dependencies: ["CLibCurl"]),
        .target(name: "MasterPatterns", dependencies: ["CLibPCRE2"]),
        .target(
            name: "MasterKit",
            dependencies: [
                "MasterHTTP",
                "MasterJSON",
                "MasterPatterns",
                "MasterTemplates",
                "MasterYAML",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        .target(
            name: "StandardPlugins",
            dependencies: [
                "MasterKit",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ],
            path: "Plugins", packageAccess: false),
        .target(name: "MasterTesting", dependencies: ["MasterKit"]),
        .target(
            name: "MasterRuntime",
            dependencies: [
                "CProcess",
                "MasterKit",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        // Apart from `MasterTesting`: with the runtime and what it stands on, the first build of a
        // plugin's tests takes three times as long.
        .target(
            name: "MasterRuntimeTesting",
            dependencies: ["MasterKit", "MasterRuntime", "MasterTesting"]),
        .target(
            name: "MasterReceiver",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .target(
            name: "MasterWebSocket",
            dependencies: [
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
        .target(
            name: "MasterWeb",
            dependencies: [
                "MasterKit",
                "MasterRuntime",
                "MasterWebSocket",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
        .target(
            name: "MasterWorkers",
            dependencies: [
                "MasterKit",
                "MasterRuntime",
                "MasterWebSocket",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "OrderedCollections", package: "swift-collections"),
            ]),
        .target(
            name: "MasterCommand",
            dependencies: [
                "CLibC",
                "MasterKit",
                "MasterReceiver",
                "MasterRuntime",
                "MasterWeb",
                "MasterWorkers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "buildmaster", dependencies: ["MasterCommand", "StandardPlugins"],
            packageAccess: false),
        .executableTarget(
            name: "CustomMaster", dependencies: ["MasterCommand", "StandardPlugins"],
            path: "Examples/CustomMaster", exclude: ["master.yaml", "expected.json"],
            packageAccess: false),

        .executableTarget(
            name: "Benchmarks", dependencies: ["MasterRuntime", "StandardPlugins"],
            path: "Benchmarks/Benchmarks"),
        .executableTarget(
            name: "BenchmarkReference", path: "Benchmarks/Reference",
            cSettings: [.define("_GNU_SOURCE")], linkerSettings: [.linkedLibrary("curl")]),
        .executableTarget(name: "EmptyProgram", path: "Benchmarks/EmptyProgram"),
        .executableTarget(
            name: "TestMaster", dependencies: ["MasterCommand", "StandardPlugins"],
            path: "Tests/TestMaster"),

        .testTarget(name: "MasterYAMLTests", dependencies: ["MasterYAML"], exclude: ["Fixtures"]),
        .testTarget(name: "MasterJSONTests", dependencies: ["MasterJSON"]),
        .testTarget(
            name: "MasterTemplatesTests", dependencies: ["MasterJSON", "MasterTemplates"]),
        .testTarget(name: "MasterPatternsTests", dependencies: ["MasterPatterns"]),
        .testTarget(name: "MasterHTTPTests", dependencies: ["MasterHTTP", "MasterTesting"]),
        .testTarget(
            name: "MasterKitTests", dependencies: ["MasterKit", "MasterTesting"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "StandardPluginsTests",
            dependencies: ["MasterRuntime", "MasterTesting", "StandardPlugins"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MasterWebTests",
            dependencies: [
                "MasterRuntime", "MasterTesting", "MasterWeb", "MasterWebSocket", "StandardPlugins",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MasterTestingTests",
            dependencies: [
                "CustomMaster", "MasterRuntimeTesting", "MasterTesting", "StandardPlugins",
            ]),
        .testTarget(
            name: "MasterRuntimeTests",
            dependencies: [
                "MasterRuntime", "MasterTesting", "StandardPlugins",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MasterReceiverTests",
            dependencies: [
                "MasterReceiver",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        .testTarget(
            name: "MasterWorkersTests",
            dependencies: [
                "MasterRuntime", "MasterTesting", "MasterWebSocket", "MasterWorkers",
                "StandardPlugins",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "MasterCommandTests",
            dependencies: [
                "MasterCommand", "MasterTesting", "TestMaster", "buildmaster",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .testTarget(
            name: "PeerTests",
            dependencies: ["MasterRuntime", "MasterTesting", "StandardPlugins"],
            exclude: ["Fixtures", "Scripts"]),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "CustomMaster", "MasterKit", "MasterTesting", "buildmaster",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)

/// One set of Swift settings for every Swift target of the package.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]
for target in package.targets where target.type != .system {
    target.swiftSettings = swiftSettings
}

/// What a master needs to load plugins: its symbols, and an identity that they are built for.
let pluginLoading: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--export-dynamic", "-Xlinker", "--build-id=sha1"])
]
for target in package.targets where ["buildmaster", "CustomMaster"].contains(target.name) {
    target.linkerSettings = pluginLoading
}
