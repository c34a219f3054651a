package main

import (
	"context"

	"congthu/internal/msg"
	"congthu/internal/pipeline"
	"congthu/internal/quarantine"
	"congthu/internal/queue"
	"congthu/internal/store"
)

// keeper puts queue entries and held messages of one DATA into one transaction, so
// that a 250 stands for all recipients or there is none.
type keeper struct {
	db    *store.DB
	queue *queue.Queue
	held  *quarantine.Quarantine
}
