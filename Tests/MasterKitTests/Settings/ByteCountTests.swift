import MasterKit
import Testing

struct ByteCountTests {
    @Test(arguments: [
        ("0", 0), ("512", 512), ("64KiB", 65_536), ("10MB", 10_000_000), ("1GiB", 1 << 30),
        ("1 kb", 1000), ("5B", 5), ("2mib", 2 << 20), ("3gb", 3_000_000_000),
    ])
    func `a size is read`(yaml: String, bytes: Int) {
        #expect(Reading(yaml, as: ByteCount.self).value == ByteCount(bytes))
    }

    @Test(arguments: [
        "-1", "1.5MB", "MB", "5TB", "1e3", "''", "9223372036854775807KB", "5 5", "0x10", "٣KB",
        "99999999999999999999",
    ])
    func `what is none is refused with what may be written`(yaml: String) {
        let reading = Reading(yaml, as: ByteCount.self)
        #expect(reading.value == nil)
        #expect(
            reading.messages.first?.hasPrefix(
                "'it' must be a size in bytes such as 65536, 64KiB or 10MB, not ") == true)
    }
}
