"""Differences between the supported versions of Plaso."""


def ProduceEventData(parser_mediator, event_data, corrupted=False, recovered=False):
    """Produces event data.

    Args:
      parser_mediator (ParserMediator): mediates interactions between parsers and other
          components, such as storage and dfVFS.
      event_data (EventData): event data.
      corrupted (Optional[bool]): True if the item was corrupted, which only Plaso
          20260720 and later can mark.
      recovered (Optional[bool]): True if the item was recovered, likewise.
    """
    if hasattr(parser_mediator, "ProduceWarning"):
        parser_mediator.ProduceEventData(
            event_data, corrupted=corrupted, recovered=recovered
        )
    else:
        parser_mediator.ProduceEventData(event_data)


def ProduceWarning(parser_mediator, message):
    """Produces an extraction warning.

    Args:
      parser_mediator (ParserMediator): mediates interactions between parsers and other
          components, such as storage and dfVFS.
      message (str): message of the warning.
    """
    if hasattr(parser_mediator, "ProduceWarning"):
        parser_mediator.ProduceWarning(message)
    else:
        parser_mediator.ProduceExtractionWarning(message)
