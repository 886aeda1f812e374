import { Command } from 'commander';
import { BagReader } from '../bag/bag-reader.js';
import { BagPlayer, type PlayOptions } from '../ros/bag-player.js';
import { withNode } from '../ros/ros-session.js';
import { commaSeparated, nonNegativeNumber, positiveNumber } from './options.js';

/** `bdc-occ play BAG`: a bag on the ROS graph, with /clock. */
export function playCommand(): Command {
  return new Command('play')
    .description('play a bag on the ROS graph, with /clock, as "ros2 bag play --clock" does')
    .argument('<bag>', 'MCAP or SQLite file, or the folder of "ros2 bag record" around such files')
    .argument('[ros-args...]', '--ros-args -r __ns:=/NAME …')
    .option('--rate <factor>', 'seconds of the bag in a second', positiveNumber, 1)
    .option('--loop', 'play it again and again', false)
    .option('--start-offset <s>', 'seconds left out at the start', nonNegativeNumber, 0)
    .option('--start-paused', 'wait for the service ~/resume', false)
    .option('--clock-rate <hz>', 'messages on /clock in a second', positiveNumber, 40)
    .option('--wait-for-images', 'begin once somebody listens to an image topic of the bag', false)
    .option('--topics <a,b,…>', 'topics to play (default: all but /clock)', commaSeparated)
    .allowUnknownOption()
    .addHelpText('after', '\nServices (std_srvs/srv/Trigger): ~/pause, ~/resume, ~/toggle_paused.')
    .action(async (bag: string, rosArgs: readonly string[], options: PlayOptions) => {
      const reader = await BagReader.open(bag);
      try {
        await withNode('bag_player', rosArgs, async (session) => {
          const logger = session.node.getLogger();
          for (const warning of reader.warnings) logger.warn(warning);
          await new BagPlayer(session, reader, options).play();
        });
      } finally {
        await reader.close();
      }
    });
}
