import MasterCommand
import MasterKit
import StandardPlugins

@main
struct CustomMaster {
    static func main() async {
        let own = PluginBundle(
            Chain.self, ChatRoom.self, CountLines.self, PropertyGenerator.self, StepTimes.self)
        await MasterCommandLine.main(plugins: [standardPlugins, own], version: "1.0")
    }
}
