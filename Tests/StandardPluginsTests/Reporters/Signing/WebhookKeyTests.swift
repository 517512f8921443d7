import MasterKit
import Testing

@testable import StandardPlugins

/// Published signatures; the second one is the example in the specification.
struct WebhookKeyTests {
    @Test(arguments: [
        (
            key: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            signature: "v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44="
        ),
        (
            key: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9l"
                + "MicMFs6Kvg==",
            signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVL"
                + "Po3mNl8EM+m7TBAg=="
        ),
        (
            key: "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk",
            signature: "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7Ka"
                + "aBRdM5WqyeFiL8Ag=="
        ),
    ])
    func `a known key makes the known signature`(key: String, signature: String) throws {
        let node = YAMLNode(json: .string(key))
        let signing = try #require(SettingDecoder().decode(WebhookSigning.self, from: node))
        let made = try signing.signatures(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(made == signature)
    }
}
