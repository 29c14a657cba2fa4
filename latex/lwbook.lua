-- Where a listing or a callout breaks over pages, three of its lines stay together on
-- either side of the break; up to eight lines do not break at all. The same goes for each
-- command of a transcript with its answer, and for each piece of an excerpt up to a cut.
local TOGETHER, WHOLE = 3, 8
local PROMPT, CONTINUED, CUT = "^%$ ", "^> ", "^[%d ]*…$"

local function is_line(item)
  local box = item.id == node.id("hlist") or item.id == node.id("vlist")
  return box and item.height + item.depth > 0
end

local function unbreakable()
  local penalty = node.new("penalty")
  penalty.penalty = 10000
  return penalty
end

-- Forbid every break from one line to the next.
local function tie(list, line, next_line)
  local item = line.next
  while item ~= next_line do
    if item.id == node.id("penalty") then
      item.penalty = 10000
    elseif item.id == node.id("glue") then
      list.head = node.insert_before(list.head, item, unbreakable())
    end
    item = item.next
  end
end

-- Return the characters of a list; a space of code is a place to break, of a kern.
local function text(list)
  local found = ""
  for item in node.traverse(list) do
    if item.id == node.id("glyph") then
      found = found .. utf8.char(item.char)
    elseif item.id == node.id("kern") and item.kern ~= 0 then
      found = found .. " "
    elseif item.id == node.id("disc") then
      found = found .. text(item.replace)
    elseif item.id == node.id("hlist") or item.id == node.id("vlist") then
      found = found .. text(item.head)
    end
  end
  return found
end

-- Return the numbers of the lines that begin a piece.
local function beginnings(texts)
  local prompts, after_cuts = {}, { 1 }
  for k, one in ipairs(texts) do
    if one:find(PROMPT) then
      prompts[#prompts + 1] = k
    elseif one:find(CUT) and k > 1 and k < #texts then
      after_cuts[#after_cuts + 1] = k + 1
    end
  end
  if #prompts == 0 then
    return after_cuts
  end
  prompts[1] = 1
  return prompts
end

-- Tie the first and the last of some lines; the few that go on with a command do not count.
local function tie_ends(list, lines, texts, first, last)
  local typed = first
  while typed < last and texts[typed + 1]:find(CONTINUED) do
    typed = typed + 1
  end
  if typed - first >= WHOLE then
    typed = first
  end
  for k = first, last - 1 do
    if last - first < WHOLE or k < typed + TOGETHER - 1 or k > last - TOGETHER then
      tie(list, lines[k], lines[k + 1])
    end
  end
end

-- Tie what stays together of a box, given by its number.
function booktie(box)
  local list, lines, texts = tex.box[box], {}, {}
  for item in node.traverse(list.head) do
    if is_line(item) then
      lines[#lines + 1] = item
      texts[#texts + 1] = text(item.head)
    end
  end
  local begins = beginnings(texts)
  for k, first in ipairs(begins) do
    tie_ends(list, lines, texts, first, (begins[k + 1] or #lines + 1) - 1)
  end
  tie_ends(list, lines, texts, 1, #lines)
end
