package queue

import (
	"testing"

	"congthu/internal/store/storetest"
)

func TestOnPostgres(t *testing.T) {
	storetest.Rerun(t, "Rig(t", map[string]func(*testing.T){
		"TestBadDeliverers": TestBadDeliverers, "TestClockJump": TestClockJump, "TestClockJumpWhileStopped": TestClockJumpWhileStopped,
		"TestClockJumpsChangeNothing": TestClockJumpsChangeNothing, "TestDamagedContentIsKept": TestDamagedContentIsKept,
		"TestDeadHopSlowsNobody": TestDeadHopSlowsNobody, "TestDeadLettersSurviveAJump": TestDeadLettersSurviveAJump, "TestDeliver": TestDeliver,
		"TestDropWhileTrying": TestDropWhileTrying, "TestExpiry": TestExpiry, "TestExpiryBehindADownHop": TestExpiryBehindADownHop,
		"TestLateAnswer": TestLateAnswer, "TestLifeDespiteJumps": TestLifeDespiteJumps, "TestNoLoss": TestNoLoss,
		"TestNobodyMayBeTold": TestNobodyMayBeTold, "TestNoticeOfNotice": TestNoticeOfNotice, "TestOperator": TestOperator,
		"TestPutNamesAndShares": TestPutNamesAndShares, "TestPutRefuses": TestPutRefuses, "TestQuiet": TestQuiet,
		"TestRestartMakesAllDue": TestRestartMakesAllDue, "TestRetryAndMixedReplies": TestRetryAndMixedReplies,
		"TestSlowHopHoldsUpNobody": TestSlowHopHoldsUpNobody, "TestStopIsNoAttempt": TestStopIsNoAttempt,
		"TestReleaseKeepsTheSchedule": TestReleaseKeepsTheSchedule, "TestShow": TestShow, "TestListFilters": TestListFilters,
		"TestRouteOfToday": TestRouteOfToday, "TestTriedWaitsForTheFirstPause": TestTriedWaitsForTheFirstPause, "TestTriedInVainIsTriedAtOnce": TestTriedInVainIsTriedAtOnce,
		"TestTriedRefusalIsSettledAtOnce": TestTriedRefusalIsSettledAtOnce, "TestTriedIsDividedWithItsRecipients": TestTriedIsDividedWithItsRecipients,
	}, map[string]string{
		"TestDamagedFileIsKept":     "contents are files only there",
		"TestOutcomeIsRecordedOnce": "fills an SQLite file; TestPostgresStopsInADelivery does the same to a server",
	})
}
