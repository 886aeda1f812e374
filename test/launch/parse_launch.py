"""Parses a launch file with the real `launch` and prints the names of its arguments as JSON."""

import json
import sys

from launch import LaunchContext, LaunchDescription
from launch.frontend import Parser

entity, parser = Parser.load(sys.argv[1])
description: LaunchDescription = parser.parse_description(entity)
arguments = description.get_launch_arguments()
# resolves the substitutions of all actions that need no argument
context = LaunchContext()
for argument in arguments:
    context.launch_configurations[argument.name] = "1"
for action in description.entities:
    for condition in filter(None, [action.condition]):
        condition.evaluate(context)
print(json.dumps(sorted(argument.name for argument in arguments)))
