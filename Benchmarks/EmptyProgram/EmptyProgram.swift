/// The least that a program in Swift can be.
@main
struct EmptyProgram {
    static func main() {}
}
