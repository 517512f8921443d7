// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "CustomPlugin",
    products: [.library(name: "CustomPlugin", targets: ["CustomPlugin"])],
    dependencies: [.package(name: "buildmaster", path: "../..")],
    targets: [
        .target(
            name: "CustomPlugin",
            dependencies: [.product(name: "MasterKit", package: "buildmaster")],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "CustomPluginTests",
            dependencies: [
                "CustomPlugin", .product(name: "MasterTesting", package: "buildmaster"),
            ],
            swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6]
)

/// The features that Buildmaster itself is compiled with.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
