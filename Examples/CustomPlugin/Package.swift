// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "CustomPlugin",
    products: [.library(name: "CustomPlugin", targets: ["CustomPlugin"])],
    dependencies: [.package(name: "buildmaster", path: "../..")],
    targets: [
        .target(
            name: "CustomPlugin",
            dependencies: [.product(name: "MasterKit", package: "buildmaster")],
            swiftSettings: settings),
        .testTarget(
            name: "CustomPluginTests",
            dependencies: [
                "CustomPlugin", .product(name: "MasterTesting", package: "buildmaster"),
            ],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
