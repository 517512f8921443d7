public import MasterKit

/// The plugins of this package, which a master finds by this name.
public let plugins = PluginBundle(ChatRoom.self, CountLines.self)
