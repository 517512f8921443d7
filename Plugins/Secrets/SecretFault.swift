/// Why a provider can't give a secret, in a sentence that holds no value.
struct SecretFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
