import MasterCommand
import StandardPlugins

@main
struct Buildmaster {
    static func main() async {
        await MasterCommandLine.main(plugins: [standardPlugins])
    }
}
