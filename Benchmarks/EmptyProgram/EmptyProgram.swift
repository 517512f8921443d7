/// The smallest possible Swift program.
@main
struct EmptyProgram {
    static func main() {}
}
