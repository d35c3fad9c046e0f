import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.Plugin;

/** One node, in HOME, until it is told to end: Main HOME PLUGIN_CLASS,... SETTING=VALUE... */
public final class Main {
  /** A node whose plugins come from the class path. */
  private static final class ClassPathNode extends Node {
    ClassPathNode(Environment environment, Collection<Class<? extends Plugin>> plugins) {
      super(environment, plugins, false);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Settings.Builder settings = Settings.builder().put("path.home", arguments[0]);
    for (int i = 2; i < arguments.length; i++) {
      int equals = arguments[i].indexOf('=');
      settings.put(arguments[i].substring(0, equals), arguments[i].substring(equals + 1));
    }
    List<Class<? extends Plugin>> plugins = new ArrayList<>();
    for (String name : arguments[1].split(",")) {
      plugins.add(Class.forName(name).asSubclass(Plugin.class));
    }
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(
            settings.build(), java.util.Map.of(), Path.of(arguments[0], "config"), () -> "node");
    Node node = new ClassPathNode(environment, plugins);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node)));
    node.start();
    Thread.currentThread().join();
  }

  private static void close(Node node) {
    try {
      node.close();
    } catch (java.io.IOException error) {
      error.printStackTrace();
    }
  }
}
