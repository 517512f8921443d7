// swift-tools-version: 6.2

import PackageDescription

/// The graph from bottom to top: a target may import only what stands above it here.
let package = Package(
    name: "buildmaster",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "buildmaster", targets: ["buildmaster"]),
        .library(name: "MasterKit", targets: ["MasterKit"]),
        .library(name: "MasterCommand", targets: ["MasterCommand"]),
        .library(name: "StandardPlugins", targets: ["StandardPlugins"]),
        .library(name: "MasterTesting", targets: ["MasterTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/stencilproject/Stencil", from: "0.15.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibYAML", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLibCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "MasterYAML", dependencies: ["CLibYAML"]),
        .target(name: "MasterHTTP", dependencies: ["CLibCurl"]),
        .target(
            name: "MasterKit",
            dependencies: [
                "MasterYAML", "MasterHTTP",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "OrderedCollections", package: "swift-collections"),
                "Stencil",
            ]),
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
