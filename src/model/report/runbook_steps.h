// The steps of a runbook page, as both forms show them: the steps of other runbooks it uses are
// written out, in the order and with the numbers of a run. Private to this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/report/runbook_page.h"

namespace lb::report {

// How a person does it: words, then what to type. Either may be empty.
struct ByHand {
  std::vector<std::string> words;
  std::string commands;
};

struct Box {
  std::string text;
  bool critical = false;
};

struct PageStep {
  std::size_t number = 0;  // 0: a heading
  int depth = 0;           // steps inside `use` and `parallel` stand deeper
  std::string title;       // "Restore db to production"; of a heading its words
  std::string who;         // "dba (Ada L., ada@example.com)"; empty: whoever follows the page
  std::string command;     // what the program runs; empty when it is no command
  ByHand by_hand;
  std::vector<Box> boxes;                                    // ticked one by one
  std::vector<std::pair<std::string, std::string>> remarks;  // "Only when" -> "...", in order
  bool loud = false;                                         // a banner
  bool critical = false;                                     // cannot be left out
  bool review = false;                                       // nobody has read it yet
  bool decision = false;                                     // a gate: go or no go, name and time
  std::vector<std::string> answers;                          // questions with room for an answer
};

std::vector<PageStep> page_steps(const RunbookPage& page);

// One step of a kind: fills title, command, by_hand, boxes, answers from its verb.
void describe_step(const plan::Plan& plan, const plan::Step& step, PageStep& out);

// "Ada L., ada@example.com, +1 555 0100": how this person is reached.
std::string reach_of(const plan::Plan& plan, const std::string& person);
// People of the page: those who are named by its steps, the owner, and the roles of the RACI table.
std::vector<std::string> people_of(const RunbookPage& page);

// The facts at the head, in order; no empty ones.
std::vector<std::pair<std::string, std::string>> page_facts(const RunbookPage& page);
// How to follow the page, in sentences.
const std::vector<std::string>& page_instructions();
// Rows of the people of the page under a heading row; columns that nobody fills are left out. Empty
// without people.
std::vector<std::vector<std::string>> people_rows(const RunbookPage& page);
// Rows: task and the letters of each role. The first row is the heading; empty without a table.
std::vector<std::vector<std::string>> raci_rows(const RunbookPage& page);
// name -> address, of the plan's links.
std::vector<std::pair<std::string, std::string>> page_links(const RunbookPage& page);

}  // namespace lb::report
