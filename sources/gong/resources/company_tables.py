"""The tables beside calls: people, library, settings, scorecards, statistics, logs."""

from __future__ import annotations

from ..tables.table import TOMBSTONE, Column, Table, connector_columns, gong_columns, snake_case

USERS_TABLE = Table(
    "users",
    "users",
    ("id",),
    "whole",
    (
        *gong_columns(
            "id emailAddress=email created:timestamp active:bool emailAliases:json=email trustedEmailAddress=email"
            " firstName=name lastName=name title phoneNumber=phone extension=phone personalMeetingUrls:json=link"
        ),
        *gong_columns(
            "webConferencesRecorded:bool preventWebConferenceRecording:bool telephonyCallsImported:bool"
            " emailsImported:bool preventEmailImport:bool nonRecordedMeetingsImported:bool gongConnectEnabled:bool"
        ),
        *gong_columns("managerId meetingConsentPageUrl=link conferencingProviders:json spokenLanguages:json"),
    ),
    frozenset({"settings"}),
)

WORKSPACES_TABLE = Table("workspaces", "workspaces", ("id",), "whole", gong_columns("id name description"))

FOLDERS_TABLE = Table(
    "library_folders",
    "library",
    ("id",),
    "whole",
    (*gong_columns("id name parentFolderId createdBy updated:timestamp"), *connector_columns("workspace_id")),
)

LIBRARY_CALLS_TABLE = Table(
    "library_calls",
    "library",
    ("folder_id", "position"),
    "whole",
    (
        *connector_columns("folder_id position:bigint"),
        Column("call_id", "text", "id"),
        *gong_columns("title note addedBy created:timestamp url"),
        *connector_columns("snippet_from_sec:double snippet_to_sec:double"),
    ),
    frozenset({"snippet"}),
)

TRACKERS_TABLE = Table(
    "trackers",
    "trackers",
    ("tracker_id",),
    "whole",
    gong_columns(
        "trackerId trackerName workspaceId affiliation partOfQuestion:bool saidAt saidAtInterval:bigint saidAtUnit"
        " saidInTopics:json filterQuery created:timestamp creatorUserId updated:timestamp updaterUserId"
    ),
    frozenset({"languageKeywords"}),
)

TRACKER_KEYWORDS_TABLE = Table(
    "tracker_keywords",
    "trackers",
    ("tracker_id", "language", "position"),
    "whole",
    (*connector_columns("tracker_id position:bigint keyword"), *gong_columns("language includeRelatedForms:bool")),
    frozenset({"keywords"}),
)

SCORECARDS_TABLE = Table(
    "scorecards",
    "scorecards",
    ("scorecard_id",),
    "whole",
    gong_columns(
        "scorecardId scorecardName workspaceId enabled:bool reviewMethod created:timestamp updated:timestamp"
        " updaterUserId"
    ),
    frozenset({"questions"}),
)

SCORECARD_QUESTIONS_TABLE = Table(
    "scorecard_questions",
    "scorecards",
    ("scorecard_id", "question_id"),
    "whole",
    (
        *connector_columns("scorecard_id position:bigint"),
        *gong_columns(
            "questionId questionRevisionId questionText isOverall:bool questionType answerGuide minRange:bigint"
            " maxRange:bigint answerOptions:json created:timestamp updated:timestamp updaterUserId"
        ),
    ),
)

ANSWERED_SCORECARDS_TABLE = Table(
    "answered_scorecards",
    "answered_scorecards",
    ("answered_scorecard_id",),
    "by key",
    gong_columns(
        "answeredScorecardId scorecardId scorecardName callId callStartTime:timestamp reviewedUserId reviewerUserId"
        " reviewMethod editorUserId reviewTime:timestamp visibilityType"
    ),
    frozenset({"answers"}),
)

ANSWERED_SCORECARD_ANSWERS_TABLE = Table(
    "answered_scorecard_answers",
    "answered_scorecards",
    ("answered_scorecard_id", "position"),
    "together",
    (
        *connector_columns("answered_scorecard_id position:bigint"),
        *gong_columns(
            "questionId questionRevisionId isOverall:bool score:bigint answerText notApplicable:bool"
            " selectedOptions:json"
        ),
        TOMBSTONE,
    ),
)

CALL_OUTCOMES_TABLE = Table(
    "call_outcomes",
    "call_outcomes",
    ("call_outcome",),
    "whole",
    gong_columns("callOutcome displayOrder:bigint connectStatus sentiment todoAction automation category"),
)

BRIEFS_TABLE = Table(
    "briefs",
    "briefs",
    ("brief_id",),
    "whole",
    gong_columns(
        "briefId briefName workspaceId description status creator=name creatorUserId created:timestamp"
        " updated:timestamp"
    ),
)

ACTIVITIES = (
    *("callsAsHost", "callsAttended", "callsGaveFeedback", "callsRequestedFeedback", "callsReceivedFeedback"),
    *("ownCallsListenedTo", "othersCallsListenedTo", "callsSharedInternally", "callsSharedExternally"),
    *("callsScorecardsFilled", "callsScorecardsReceived", "callsCommentsGiven", "callsCommentsReceived"),
    *("callsMarkedAsFeedbackGiven", "callsMarkedAsFeedbackReceived"),
)
"""What Gong says of a user and a day, each a list of call ids."""

USER_ACTIVITY_TABLE = Table(
    "user_activity_daily",
    "user_activity_daily",
    ("from_date", "user_id"),
    "together",
    (
        *connector_columns("from_date:date to_date:date user_id"),
        *gong_columns("userEmailAddress=email"),
        *gong_columns(" ".join(f"{activity}:json" for activity in ACTIVITIES)),
        *connector_columns(" ".join(f"{snake_case(activity)}_count:bigint" for activity in ACTIVITIES)),
        TOMBSTONE,
    ),
    frozenset({"userId", "fromDate", "toDate"}),
)

INTERACTION_STATS_TABLE = Table(
    "user_interaction_stats",
    "user_interaction_stats",
    ("from_date", "user_id", "name"),
    "together",
    (
        *connector_columns("from_date:date to_date:date user_id user_email_address"),
        *gong_columns("name value:double"),
        TOMBSTONE,
    ),
)

AUDIT_LOGS_TABLE = Table(
    "audit_logs",
    "audit_logs",
    ("id",),
    "by key",
    (
        *connector_columns("id log_type"),
        *gong_columns(
            "eventTime:timestamp userId userEmailAddress=email userFullName=name impersonatorUserId"
            " impersonatorEmailAddress=email impersonatorFullName=name impersonatorCompanyId logRecord:json"
        ),
    ),
)

PERMISSION_PROFILES_TABLE = Table(
    "permission_profiles",
    "permission_profiles",
    ("id",),
    "whole",
    gong_columns(
        "id workspaceId name description callsAccess:json libraryFolderAccess:json dealsAccess:json"
        " forecastPermissions:json coachingAccess:json insightsAccess:json usageAccess:json emailsAccess:json"
    ),
    frozenset({"users"}),
)

PERMISSION_PROFILE_USERS_TABLE = Table(
    "permission_profile_users",
    "permission_profiles",
    ("profile_id", "user_id"),
    "whole",
    (
        *connector_columns("profile_id"),
        Column("user_id", "text", "id"),
        *gong_columns("fullName=name emailAddress=email"),
    ),
)

COACHING_TABLE = Table(
    "coaching_metrics",
    "coaching_metrics",
    ("from_date", "workspace_id", "manager_id", "report_id", "metric"),
    "together",
    (
        *connector_columns(
            "from_date:date to_date:date workspace_id manager_id report_id metric values:json value_count:bigint"
        ),
        TOMBSTONE,
    ),
)

FLOWS_TABLE = Table(
    "flows",
    "flows",
    ("id",),
    "whole",
    gong_columns("id name folderId folderName visibility creationDate:timestamp exclusive:bool"),
)

FLOW_FOLDERS_TABLE = Table(
    "flow_folders", "flow_folders", ("id",), "whole", gong_columns("id name parentFolderId createdById visibility")
)

SETTINGS_HISTORY_TABLE = Table(
    "user_settings_history",
    "user_settings_history",
    ("user_id", "position"),
    "whole",
    (*connector_columns("user_id position:bigint"), *gong_columns("setting value:bool time:timestamp")),
)

CALL_ACCESS_TABLE = Table(
    "call_access",
    "call_access",
    ("call_id", "user_id"),
    "together",
    (*connector_columns("call_id"), *gong_columns("userId"), TOMBSTONE),
)

COMPANY_TABLES = (
    USERS_TABLE,
    WORKSPACES_TABLE,
    FOLDERS_TABLE,
    LIBRARY_CALLS_TABLE,
    TRACKERS_TABLE,
    TRACKER_KEYWORDS_TABLE,
    SCORECARDS_TABLE,
    SCORECARD_QUESTIONS_TABLE,
    ANSWERED_SCORECARDS_TABLE,
    ANSWERED_SCORECARD_ANSWERS_TABLE,
    CALL_OUTCOMES_TABLE,
    BRIEFS_TABLE,
    USER_ACTIVITY_TABLE,
    INTERACTION_STATS_TABLE,
    AUDIT_LOGS_TABLE,
    PERMISSION_PROFILES_TABLE,
    PERMISSION_PROFILE_USERS_TABLE,
    COACHING_TABLE,
    FLOWS_TABLE,
    FLOW_FOLDERS_TABLE,
    SETTINGS_HISTORY_TABLE,
    CALL_ACCESS_TABLE,
)
