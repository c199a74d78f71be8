"""`probe schema`: the JSON Schema of the config."""

import click

from probe.docs.shipped import schema_text


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema of the config, of the kinds that come with probe.

    For an editor that speaks YAML: write it to a file, and begin the config with
    `# yaml-language-server: $schema=` and that file's path.
    """
    click.echo(schema_text(), nl=False)
