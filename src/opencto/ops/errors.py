"""What may go wrong when usage and costs are asked for."""

from opencto.core.problems import Conflict


class ProjectsNotConfigured(Conflict):
    """The answer to an admin key sees the whole organization; a workspace is shown what is its own."""

    code, title = "PROJECTS_NOT_CONFIGURED", "Which OpenAI projects belong to this workspace is not set"

    def __init__(self) -> None:
        super().__init__(
            "The admin key sees the whole OpenAI organization, and which of its projects are this workspace's is not set. "
            "Set openaiProjectIds in the workspace's settings (proj_…, from the project's page at OpenAI), or "
            "ownsOpenaiOrganization where all of it is this workspace's."
        )
